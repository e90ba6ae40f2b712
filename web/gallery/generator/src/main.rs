//! `spoor-demo-data DIR`: writes the gallery's demo telemetry into a folder.

use std::path::Path;
use std::process::ExitCode;

use spoor_gallery::{Options, generate};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(dir), None) = (arguments.next(), arguments.next()) else {
        eprintln!(
            "usage: spoor-demo-data DIR\nWrites the gallery's demo telemetry into DIR as Parquet files."
        );
        return ExitCode::from(2);
    };
    match generate(Path::new(&dir), &Options::default()) {
        Ok(summary) => {
            for file in &summary.files {
                eprintln!(
                    "{:<20} {:>8} rows {:>10} bytes",
                    file.table, file.rows, file.bytes
                );
            }
            eprintln!(
                "{:<20} {:>8} rows {:>10} bytes",
                "in all",
                summary.rows(),
                summary.bytes()
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!(
                "spoor-demo-data: cannot write into {}: {error}",
                Path::new(&dir).display()
            );
            ExitCode::FAILURE
        }
    }
}
