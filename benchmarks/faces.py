"""Draw a head's surface before and after its face is masked, and measure what the mask leaves of it.

python benchmarks/faces.py [docs/deidentify-face.png]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from prognoscope.core.geometry import Grid, Volume
from prognoscope.deidentify.faces import find_face, render_head
from tests.make.heads import a_face

SPACING_MM = 1.5


def main() -> None:
    values, brain = a_face(SPACING_MM)
    grid = Grid(values.shape, (SPACING_MM,) * 3)
    before = Volume(values.astype(np.float32), grid)
    face = find_face(before)
    after = Volume(np.where(face.voxels, face.air, values).astype(np.float32), grid)
    pictures = [render_head(volume) for volume in (before, after)]
    if len(sys.argv) > 1:
        Image.fromarray(np.concatenate(pictures, axis=1)).save(sys.argv[1], optimize=True)
    tissue = values > -500
    print(
        f"tissue taken: {100 * face.voxels[tissue].mean():.1f} %; brain taken: {int(face.voxels[brain].sum())} voxels"
    )


if __name__ == "__main__":
    main()
