"""Draw the pictures of docs/figures.md again: run the commands of its gallery, and reduce the pictures to few colours.

Run it in the root of the repository, after a change of how figures look: ``make gallery``.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "figures.md"
WIDTH, COLORS = 900, 96  # pixels; colours of a picture, for small files


def commands(text: str) -> list[list[str]]:
    """Return the commands of the gallery: those that write pictures of the page, and the runs that they need."""
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    found = [shlex.split(line.strip()) for line in lines if re.search(r"^\s*nasbench-lab .*results/gallery", line)]
    return [[*command, "--overwrite"] if command[1] == "run" else command for command in found]


def reduce(path: Path) -> None:
    """Make a picture smaller: fewer pixels and colours."""
    picture = Image.open(path).convert("RGB")
    if picture.width > WIDTH:
        picture = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
    picture.quantize(COLORS, kmeans=1, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    """Run the commands one after the other."""
    for command in commands(PAGE.read_text(encoding="utf-8")):
        print(shlex.join(command), flush=True)
        subprocess.run([sys.executable, "-m", "nasbench_lab", *command[1:]], cwd=ROOT, check=True)
        if command[1] == "plot":
            reduce(ROOT / command[command.index("--out") + 1])


if __name__ == "__main__":
    main()
