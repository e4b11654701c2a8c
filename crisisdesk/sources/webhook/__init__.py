"""Posts that others bring: listening suites and forms that call an address of the desk."""
