"""Pure text out: a decision as a pull-request comment, a job summary, terminal lines and JUnit XML."""
