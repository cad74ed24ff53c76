# Targets of tests, measurements and tools; included by the Makefile.
