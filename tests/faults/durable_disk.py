"""A real file system of 16 MB fills up: the last commit stands, searches still work, and freed space is used."""

import gc
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from rag.index.writer.writer import writing
from tests.unit.index.writer.test_durability import fill, holds
from tests.unit.index_samples import made, put

KINDS = {
    "ext4": ("-o", "loop"),
    "tmpfs": ("-t", "tmpfs", "-o", "size=16m"),
}


@pytest.fixture(params=KINDS)
def disk(request, tmp_path):
    """16 MB; only root may mount it, and a container may not have loop devices."""
    place, image = tmp_path / "disk", tmp_path / "image"
    place.mkdir()
    source = "none"
    if request.param == "ext4":
        image.write_bytes(bytes(16_000_000))
        source = str(image)
        maker = shutil.which("mkfs.ext4", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")  # not on every user's path
        if maker is None:
            pytest.skip("mkfs.ext4 is not installed: apt-get install e2fsprogs")
        made_one = subprocess.run([maker, "-q", "-F", source], capture_output=True, check=False)
        if made_one.returncode:
            pytest.skip(f"no ext4 can be made: {made_one.stderr.decode().strip()}")
    mounted = subprocess.run(["mount", *KINDS[request.param], source, place], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a disk of {request.param} cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield place
    finally:  # files left open, for instance by the traceback of a failure, must not keep the disk mounted
        gc.collect()
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_full_disk_leaves_the_last_commit_and_freed_space_is_used(disk: Path):
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(9_000_000))
    folder = made(disk / "index", {"a.md": ["one"]})
    fill(folder)
    full = holds(folder)
    fill(folder)
    assert holds(folder) >= full > 1
    ballast.unlink()
    with writing(folder) as writer:
        for path, _ in list(writer.stamps("docs"))[:20]:
            writer.remove("docs", path)
        writer.commit()
        writer.compact()
        put(writer, "late.md", ["late"])
        writer.commit()
    assert 1 < holds(folder) < full
