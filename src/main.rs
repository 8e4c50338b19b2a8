//! The program: hands over to the command line and turns its answer into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    migwatch::daemon::memory::begin();
    migwatch::daemon::tls::install_provider();
    migwatch::cli::main()
}
