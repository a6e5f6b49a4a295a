//! Parse, run, exit code.

fn main() -> std::process::ExitCode {
    elbws::cli::main()
}
