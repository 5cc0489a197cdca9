"""The pictures of a design, made to each wallet's sizes from one upload of its owner.

`check_logo`, `check_hero`, `check_icon` and `check_poster` refuse an upload that cannot be used
and say what to do; `apple` and `google` make the files. What was not uploaded is drawn in the
brand's colours.
"""

from passes.artwork.upload import check_hero, check_icon, check_logo, check_poster

__all__ = ["check_hero", "check_icon", "check_logo", "check_poster"]
