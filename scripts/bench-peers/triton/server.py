"""Lays out a model repository and a backend in the working folder, then becomes tritonserver.

PyTriton's package carries the server and its Python backend apart from each other, and the backend
passes no PYTHONPATH on; otherwise this is what its container does.
"""

import os
import shutil
import sys
from pathlib import Path

import pipeline
import pytriton

here, package = Path(__file__).parent, Path(pytriton.__file__).parent
server = package / "tritonserver"

backend = Path("backends/python")
shutil.copytree(server / "backends/python", backend, dirs_exist_ok=True)
stubs = server / "python_backend_stubs" / f"{sys.version_info.major}.{sys.version_info.minor}"
shutil.copy(stubs / "triton_python_backend_stub", backend)

version = Path("models/imagenet/1")
version.mkdir(parents=True, exist_ok=True)
shutil.copy(here / "model.py", version)
shutil.copy(pipeline.__file__, version)
config = (here / "config.pbtxt").read_text().replace("INSTANCES", os.environ["INSTANCES"])
(version.parent / "config.pbtxt").write_text(config)

os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # the backend's interpreter
os.environ["LD_LIBRARY_PATH"] = str(package.parent / "nvidia_pytriton.libs")
os.execv(
    server / "bin/tritonserver",
    [
        "tritonserver",
        "--model-repository=models",
        "--backend-directory=backends",
        "--http-address=127.0.0.1",
        f"--http-port={os.environ['PORT']}",
        "--allow-grpc=false",
        "--allow-metrics=false",
    ],
)
