//! `xiaokang calculate`

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write as _};

use app::calculate::{BATCH_LINES, CalculateError, Calculator};

use crate::arguments::CalculateOptions;
use crate::console::{CommandResult, Failure, Outcome, load_pack};

pub fn run(options: &CalculateOptions) -> CommandResult {
    let overrides: Vec<_> = options.set.iter().map(|set| set.0.clone()).collect();
    let pack = load_pack(&options.pack, &options.overlay, &overrides)?;
    let calculator = Calculator::new(&pack.program, options.as_of.0, &options.only).map_err(failure)?;
    let mut input: Box<dyn BufRead> = match &options.file {
        Some(path) => {
            let file = File::open(path);
            let file = file.map_err(|error| Failure::input(format!("`{}`: {error}", path.display())))?;
            Box::new(BufReader::with_capacity(1 << 20, file))
        }
        None => Box::new(BufReader::with_capacity(1 << 20, io::stdin())),
    };
    let mut output = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    let mut first = 1;
    loop {
        let mut lines: Vec<String> = vec![];
        let mut line = String::new();
        let mut read = 0;
        while read < BATCH_LINES && input.read_line(&mut line).map_err(Failure::input)? > 0 {
            read += 1;
            lines.push(std::mem::take(&mut line));
        }
        if read == 0 {
            break;
        }
        let texts: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
        for result in calculator.lines(&texts, first).map_err(failure)? {
            writeln!(output, "{result}").map_err(Failure::internal)?;
        }
        first += read;
    }
    output.flush().map_err(Failure::internal)?;
    Ok(Outcome::Done)
}

fn failure(error: CalculateError) -> Failure {
    match error {
        CalculateError::Engine(_) => Failure::internal(error),
        error => Failure::input(error),
    }
}
