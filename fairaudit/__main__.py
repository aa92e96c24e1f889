"""Run ``python -m fairaudit``; also the console script."""

from fairaudit.cli.app import main

if __name__ == "__main__":
    main()
