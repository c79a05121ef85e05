"""How does the login user of a host become root? Files of its /etc for sudo without a password."""

from __future__ import annotations

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PERMIT = "".join(f"{kind} required pam_permit.so\n" for kind in ("auth", "account", "session"))
"""Nobody is asked for anything: there are no passwords in the lab."""


def files(user: str) -> dict[str, str]:
    """What sudo reads, below /etc, as cloud images have it for their first *user*."""
    return {
        "sudoers": (
            f'Defaults secure_path="{PATH}"\n'
            f"root ALL=(ALL:ALL) ALL\n{user} ALL=(ALL) NOPASSWD:ALL\n"
        ),
        "pam.d/sudo": PERMIT,
        "pam.d/other": PERMIT,
    }
