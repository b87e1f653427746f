# tests/elsewhere/list.mk -- read behind the Makefile of a build: prints its test programs.
list-test-programs:
	@printf '%s\n' $(test_programs) $(tls_test_programs)
