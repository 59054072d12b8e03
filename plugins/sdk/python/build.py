"""Makes the component of a project: `build/plugin.wasm`, of `src/plugin.py` and the world in `wit`."""

import pathlib
import subprocess
import sys

COMPONENTIZE = pathlib.Path(sys.executable).with_name("componentize-py")


def componentize(*arguments: str) -> None:
    """Runs the tool for the world of the project."""
    command = [COMPONENTIZE, "--quiet", "-d", "wit", "-w", "adapter", *arguments]
    if subprocess.run(command, check=False).returncode != 0:
        sys.exit(1)


if __name__ == "__main__":
    pathlib.Path("build").mkdir(exist_ok=True)
    output = "build/plugin.wasm"
    componentize("componentize", "plugin", "-p", "src", "-p", "vendor", "-o", output)
