//! Makes a dictionary for packing of what is in a store, and tells what it gains:
//! `cargo bench -p ferrule-store --bench dictionary -- DATA-DIRECTORY FILE [BYTES]`.

use std::collections::BTreeMap;
use std::time::Instant;

use engine::store::{Scan, pages};
use store::{Options, Sled};

/// Max samples of one kind of key, so that no kind crowds out the others.
const SAMPLES_MAX: usize = 3_000;

const BYTES: usize = 32 << 10;

const SHORTEST: usize = 96;

#[expect(clippy::print_stdout, reason = "it prints what it measured")]
fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (Some(data), Some(file)) = (arguments.next(), arguments.next()) else {
        println!("name the data directory of a store that no server uses, and the file to write");
        return;
    };
    let bytes = arguments.next().map_or(BYTES, |bytes| bytes.parse().expect("a number of bytes"));
    let store = Sled::open(&data, &Options::default()).expect("the store opens");
    let mut kinds: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    let mut sizes: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    for page in pages(&store, Scan::prefix(Vec::new(), 1_000)) {
        for (key, value) in page.expect("the store is readable") {
            let kind = kind(&key);
            let [count, of_keys, of_values] = sizes.entry(kind.clone()).or_default();
            *count += 1;
            *of_keys += key.len();
            *of_values += value.len();
            let samples = kinds.entry(kind).or_default();
            if value.len() >= SHORTEST && samples.len() < SAMPLES_MAX {
                samples.push(value);
            }
        }
    }
    let samples: Vec<&Vec<u8>> = kinds.values().flatten().collect();
    // Every other sample is kept to see what is gained.
    let trained: Vec<&Vec<u8>> = samples.iter().step_by(2).copied().collect();
    let dictionary =
        zstd::dict::from_samples(&trained, bytes).expect("the samples make a dictionary");
    std::fs::write(&file, &dictionary).expect("the file is written");
    println!("{:<40} {:>9} {:>11} {:>11} {:>7}", "kind", "count", "of keys", "of values", "packed");
    for level in [1, 3] {
        let mut packer = zstd::bulk::Compressor::with_dictionary(level, &dictionary)
            .expect("the dictionary is one");
        let began = Instant::now();
        let (mut all, mut all_packed, mut count) = (0, 0, 0);
        for (kind, samples) in &kinds {
            let held_out: Vec<&Vec<u8>> = samples.iter().skip(1).step_by(2).collect();
            let before: usize = held_out.iter().map(|value| value.len()).sum();
            let after: usize = held_out
                .iter()
                .map(|value| packer.compress(value).expect("it is packed").len())
                .sum();
            (all, all_packed, count) = (all + before, all_packed + after, count + held_out.len());
            let [number, of_keys, of_values] = sizes[kind];
            let ratio = after as f64 / before.max(1) as f64;
            println!("{kind:<40} {number:>9} {of_keys:>11} {of_values:>11} {ratio:>7.2}");
        }
        let each = began.elapsed() / u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        println!("level {level}: {all} become {all_packed} bytes, {each:?} for each value");
    }
}

/// The kind of a key: its letter, and the resource of documents.
fn kind(key: &[u8]) -> String {
    let text = String::from_utf8_lossy(key);
    let mut pieces = text.split(['/', '\0']);
    let letter = pieces.next().unwrap_or_default();
    match letter {
        "d" | "v" | "i" | "n" | "r" => format!("{letter}/{}", pieces.next().unwrap_or_default()),
        _ => letter.into(),
    }
}
