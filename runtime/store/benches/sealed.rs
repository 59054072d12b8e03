//! The cost of a sealed store: the same facts are put one by one, put in batches and read, in a plain store
//! and in a sealed one, in turns. Prints the medians and their ratios.

use std::hint::black_box;
use std::time::{Duration, Instant};

use engine::store::{Batch, Epoch, Scan, Store as _};
use store::seal::{KEY_BYTES, MasterKey, MasterKeys};
use store::{Options, Sled};

/// Bytes of a value: a document of ordinary size.
const VALUE_BYTES: usize = 1_500;
const PUTS: usize = 400;
const BATCHES: usize = 60;
const BATCH: usize = 256;
const GETS: usize = 20_000;
/// Turns of each store.
const TURNS: usize = 7;

/// One store, with what its turns took.
struct Side {
    store: Sled,
    epoch: Epoch,
    took: [Vec<Duration>; 4],
}

impl Side {
    fn open(path: &std::path::Path, keys: Option<MasterKeys>) -> Self {
        let store = Sled::open(path, &Options { keys, ..Options::default() }).expect("it opens");
        let epoch = store.claim().expect("it is claimed");
        Self { store, epoch, took: Default::default() }
    }

    async fn turn(&mut self, turn: usize) {
        let value = || vec![b'x'; VALUE_BYTES];
        let key = |number: usize| format!("d/customer/{number:08}").into_bytes();
        let begun = Instant::now();
        for number in 0..PUTS {
            let writes = vec![(key(number), Some(value()))];
            self.store.append(Batch::of(self.epoch, writes)).await.expect("it is put");
        }
        self.took[0].push(begun.elapsed() / u32::try_from(PUTS).expect("few"));
        let begun = Instant::now();
        for batch in 0..BATCHES {
            let first = (turn * BATCHES + batch) * BATCH;
            let all = first..first + BATCH;
            let writes = all.map(|number| (key(number), Some(value()))).collect();
            self.store.append(Batch::of(self.epoch, writes)).await.expect("it is put");
        }
        self.took[1].push(begun.elapsed() / u32::try_from(BATCHES).expect("few"));
        let begun = Instant::now();
        for number in 0..GETS {
            let number = number * 7 % (BATCHES * BATCH);
            black_box(self.store.get(&key(number)).expect("it is read"));
        }
        self.took[2].push(begun.elapsed() / u32::try_from(GETS).expect("few"));
        let begun = Instant::now();
        black_box(self.store.scan(&Scan::prefix("d/customer/", GETS)).expect("it is read"));
        self.took[3].push(begun.elapsed());
    }

    fn median(&mut self, of: usize) -> f64 {
        self.took[of].sort();
        self.took[of][TURNS / 2].as_secs_f64() * 1e6
    }
}

#[expect(clippy::print_stdout, reason = "it prints what it measured")]
fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let master = MasterKey::new([7; KEY_BYTES]);
    let keys = MasterKeys { current: master, previous: Vec::new() };
    let mut plain = Side::open(&folder.path().join("plain"), None);
    let mut sealed = Side::open(&folder.path().join("sealed"), Some(keys));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for turn in 0..TURNS {
        runtime.block_on(plain.turn(turn));
        runtime.block_on(sealed.turn(turn));
    }
    println!("{:<24} {:>12} {:>12} {:>7}", "median, us", "plain", "sealed", "ratio");
    for (of, name) in
        ["put, synced", "batch of 256, synced", "get", "scan of 20,000"].iter().enumerate()
    {
        let [plain, sealed] = [plain.median(of), sealed.median(of)];
        println!("{name:<24} {plain:>12.1} {sealed:>12.1} {:>7.2}", sealed / plain);
    }
}
