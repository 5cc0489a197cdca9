import subprocess
import sys


def test_the_formats_bring_no_server_database_or_camera_with_them() -> None:
    program = """
import pkgutil, sys, passes
for module in pkgutil.walk_packages(passes.__path__, "passes."):
    __import__(module.name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "passes" in loaded
    unwanted = {"cv2", "flask", "h2", "httpx2", "numpy", "pyzbar", "sqlalchemy", "zxingcpp"}
    assert not loaded & (unwanted | {"app", "scanner"})
