from skytrail.cli import main

main()
