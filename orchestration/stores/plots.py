"""Where sets of pictures that belong to no segmentation are kept, so that readers see one whole set.

Belongs here: writing a set, naming the candidate, putting it in force. Does not belong here: drawing, the pointer
to the candidate (`orchestration.stores.versions`).

    plots.d/<name>/<version>/*.png    sets; the version is a hash of the pictures
    plots.d/<name>/candidate.json     the set drawn last, or why the last run drew none
    plots/<name>                      the set in force: a link, switched when the tables are published
"""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestration.stores.layout import KEPT_SETS, WarehouseLayout, switch_symlink, write_atomically
from orchestration.stores.versions import VersionedStore


@dataclass(frozen=True)
class PlotStore:
    """The sets of one name."""

    layout: WarehouseLayout
    name: str

    @property
    def folder(self) -> Path:
        """Where the sets are."""
        return self.layout.plot_sets / self.name

    @property
    def link(self) -> Path:
        """The set in force, as readers name it."""
        return self.layout.plots / self.name

    def save_candidate(self, pngs: Mapping[str, bytes]) -> Path:
        """Store pictures by name as the candidate, and return their folder."""
        digest = hashlib.sha256()
        for name, png in sorted(pngs.items()):
            digest.update(name.encode() + b"\0" + hashlib.sha256(png).digest())
        version = digest.hexdigest()[:12]
        finished, unfinished = self.folder / version, self.folder / f".{version}"
        if not finished.exists():
            shutil.rmtree(unfinished, ignore_errors=True)
            for name, png in pngs.items():
                write_atomically(unfinished / f"{name}.png", png)
            unfinished.rename(finished)
        finished.touch()  # the clean-up goes by age
        self._versions.point("candidate", version)
        return finished

    def skip(self, reason: str) -> None:
        """Say that this run drew nothing, and why."""
        self._versions.skip(reason)

    def promote_candidate(self) -> None:
        """Put the candidate in force; where the last run drew nothing, no set is."""
        version = None if self._versions.skipped else self._versions.home.name
        if version is None:
            self.link.unlink(missing_ok=True)
        else:
            switch_symlink(self.link, self.folder / version)
        kept = {version}
        by_age = sorted(self.folder.glob("*/"), key=lambda folder: -folder.stat().st_mtime)
        for old in by_age[KEPT_SETS:]:
            if old.name not in kept:
                shutil.rmtree(old, ignore_errors=True)

    @property
    def _versions(self) -> VersionedStore:
        return VersionedStore(self.folder)
