"""AWS, IPv6-only subnet (BRKIPV-3927, rows A1 to A9): what must an EC2 host in one reach, and how?"""
