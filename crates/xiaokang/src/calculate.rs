//! `xiaokang calculate`

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write as _};
use std::path::Path;

use app::calculate::{BATCH_LINES, CalculateError, Calculator};

use crate::arguments::CalculateOptions;
use crate::console::{CommandResult, Failure, Outcome, load_pack};

pub fn run(options: &CalculateOptions) -> CommandResult {
    let overrides: Vec<_> = options.set.iter().map(|set| set.0.clone()).collect();
    let pack = load_pack(&options.pack, &options.overlay, &overrides)?;
    let calculator = Calculator::new(&pack.program, options.as_of.0, &options.only)?;
    let calculator = calculator.with_reasons(options.reasons);
    let mut input: Box<dyn BufRead> = match &options.file {
        Some(path) => {
            let file = File::open(path);
            let file = file.map_err(|error| Failure::file(path, &error))?;
            Box::new(BufReader::with_capacity(1 << 20, file))
        }
        None => Box::new(BufReader::with_capacity(1 << 20, io::stdin())),
    };
    let mut output = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut first = 1;
    loop {
        let mut batches = vec![];
        for _ in 0..threads {
            let lines = read_batch(&mut *input)?;
            if lines.is_empty() {
                break;
            }
            let start = first;
            first += lines.len();
            batches.push((start, lines));
        }
        if batches.is_empty() {
            break;
        }
        for results in side_by_side(&calculator, &batches) {
            for result in results? {
                writeln!(output, "{result}").map_err(Failure::internal)?;
            }
        }
    }
    output.flush().map_err(Failure::internal)?;
    Ok(Outcome::Done)
}

/// The next lines, none at the end.
fn read_batch(input: &mut dyn BufRead) -> Result<Vec<String>, Failure> {
    let mut lines = vec![];
    let mut line = String::new();
    while lines.len() < BATCH_LINES
        && input.read_line(&mut line).map_err(|error| Failure::file(Path::new("-"), &error))? > 0
    {
        lines.push(std::mem::take(&mut line));
    }
    Ok(lines)
}

/// The results of batches, each with the number of its first line, in order.
fn side_by_side(
    calculator: &Calculator<'_>,
    batches: &[(usize, Vec<String>)],
) -> Vec<Result<Vec<String>, CalculateError>> {
    std::thread::scope(|scope| {
        let works = batches.iter().map(|(first, lines)| {
            scope.spawn(move || {
                let texts: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
                calculator.lines(&texts, *first)
            })
        });
        let works: Vec<_> = works.collect();
        works.into_iter().map(|work| work.join().expect("a worker does not panic")).collect()
    })
}
