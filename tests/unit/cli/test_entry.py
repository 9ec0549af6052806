"""Ctrl-C outside of a command's body: one line, 130, no traceback."""

import signal
import subprocess
import sys

import pytest

RAISING = {
    "[imports]": "import sys; sys.modules['migrator.cli.app'] = type(sys)('app')\n"
    "def run(): raise KeyboardInterrupt\n"
    "sys.modules['migrator.cli.app'].run = run\n",
    "[parsing] where typer alone would say nothing": "import migrator.cli.app as app\n"
    "def main(version: bool = False): raise KeyboardInterrupt\n"
    "app.app.registered_callback.callback = main\n",
    "[command]": "import migrator.cli.wiring as wiring\n"
    "def fleet(self): raise KeyboardInterrupt\n"
    "wiring.Wiring.folder = property(fleet)\n",
}
RUN = "import sys; sys.argv = ['migrate', 'status']\nfrom migrator.entry import main\nsys.exit(main())\n"


@pytest.mark.parametrize("before", RAISING.values(), ids=RAISING.keys())
def test_ctrl_c_is_one_line_and_130(before: str) -> None:
    done = subprocess.run([sys.executable, "-c", before + RUN], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "migrate: interrupted\n")


def test_a_second_ctrl_c_while_threads_end_shows_no_traceback() -> None:
    code = RAISING["[imports]"] + RUN.replace(
        "sys.exit(main())",
        "import os, signal, threading, time\nthreading.Thread(target=time.sleep, args=(30,)).start()\n"
        "def again(): time.sleep(0.5); os.kill(os.getpid(), signal.SIGINT)\n"
        "threading.Thread(target=again).start()\nsys.exit(main())",
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (-signal.SIGINT, "migrate: interrupted\n")
