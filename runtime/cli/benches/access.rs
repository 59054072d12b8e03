//! What access and the audit cost: `cargo bench -p ferrule --bench access [PAIRS]`. A server without both
//! is measured against one that demands a token, and against one that audits; the same load goes to
//! both in turns, in one run, so that the ratios count. The CPU time of the server is compared for
//! each request; a ratio is the median of all pairs, with the smallest and the largest.
#![allow(clippy::unwrap_used, reason = "a benchmark may fail")]
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]

use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use server::Server;

#[path = "common/http.rs"]
mod http;
#[path = "common/server.rs"]
mod server;

/// Pairs of measurements, if no other number is given.
const PAIRS: usize = 9;
/// Runs of a measurement.
const RUNS: &str = "3000";
/// Requests of each kind of a measurement, and the documents that they ask for.
const REQUESTS: &str = "10000";
const ROWS: &str = "1000";

const PACKS: [(&str, &str); 1] = [("bench", "workflows/bench")];

fn main() {
    let pairs = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(PAIRS);
    let folder = tempfile::tempdir().unwrap();
    let (token, keys) = token();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("keys.json"), keys).unwrap();
    std::fs::write(path("token"), token).unwrap();
    let neither = "[audit]\nmode = \"off\"\n";
    let access = format!(
        "{neither}[access]\nauthentication = \"required\"\n\
         [access.issuers.bench]\nissuer = \"https://bench.example.com\"\naudience = \"ferrule\"\n\
         keys-file = {:?}\nroles-claim = \"roles\"\n\
         roles = {{ all = \"administrator\" }}\n",
        path("keys.json"),
    );
    let token = path("token").to_str().unwrap().to_owned();
    let subject =
        |settings: &str, token| Subject { server: Server::start(&PACKS, settings), token };
    println!(
        "{:<8} {:<12} {:>9} {:>9} {:>7} {:>15}",
        "", "", "without", "with", "ratio", "from to"
    );
    compare("a token", &subject(neither, None), &subject(&access, Some(token)), pairs);
    compare("audit", &subject(neither, None), &subject("", None), pairs);
}

/// A server that is measured, with the file of the token that requests to it carry.
struct Subject {
    server: Server,
    token: Option<String>,
}

/// A line that `ferrule bench` prints.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(default)]
    what: Option<String>,
    #[serde(default)]
    rows: Option<usize>,
    cpu_ms_each: Option<f64>,
}

impl Subject {
    /// The milliseconds of CPU that each kind of request costs the server.
    fn measure(&self) -> Vec<(String, f64)> {
        let runs = self.bench(&["runs", "--runs", RUNS]);
        let documents = self.bench(&["documents", "--rows", ROWS, "--requests", REQUESTS]);
        let of_all = documents.into_iter().filter(|line| line.rows == ROWS.parse().ok());
        let all = runs.into_iter().chain(of_all);
        all.filter_map(|line| Some((line.what.unwrap_or_else(|| "run".into()), line.cpu_ms_each?)))
            .collect()
    }

    fn bench(&self, arguments: &[&str]) -> Vec<Line> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ferrule"));
        command.arg("bench").args(arguments).args(["--json", "--in-flight", "16"]);
        command.args(["--server", &self.server.client.base()]);
        command.args(["--pid", &self.server.process.id().to_string()]);
        command.args(self.token.iter().flat_map(|token| ["--token-file", token]));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Measures both in turns; which is first changes with each pair.
fn compare(what: &str, without: &Subject, with: &Subject, pairs: usize) {
    // The first round of each warms up.
    without.measure();
    with.measure();
    let rounds: Vec<_> = (0..pairs)
        .map(|pair| {
            let first = pair.is_multiple_of(2).then(|| without.measure());
            let second = with.measure();
            (first.unwrap_or_else(|| without.measure()), second)
        })
        .collect();
    let kinds = rounds[0].0.len();
    for kind in 0..kinds {
        let name = &rounds[0].0[kind].0;
        let of = |pick: fn(&(Costs, Costs)) -> &Costs| {
            Spread::of(rounds.iter().map(|round| pick(round)[kind].1).collect())
        };
        let ratios = rounds.iter().map(|(before, after)| after[kind].1 / before[kind].1);
        let ratios = Spread::of(ratios.collect());
        println!(
            "{what:<8} {name:<12} {:>6.3} ms {:>6.3} ms {:>7.3} {:>7.3} {:>7.3}",
            of(|round| &round.0).median(),
            of(|round| &round.1).median(),
            ratios.median(),
            ratios.0[0],
            ratios.0[ratios.0.len() - 1],
        );
    }
}

/// What each kind of request cost.
type Costs = Vec<(String, f64)>;

/// Figures, the smallest first.
struct Spread(Vec<f64>);

impl Spread {
    fn of(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        Self(figures)
    }

    fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }
}

/// A token that does not expire in our time, and the keys of its issuer.
fn token() -> (String, String) {
    use rcgen::SigningKey as _;
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let x = BASE64_URL_SAFE_NO_PAD.encode(key.public_key_raw());
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "one", "use": "sig", "x": x });
    let encoded = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let header = encoded(json!({ "alg": "EdDSA", "kid": "one", "typ": "at+jwt" }));
    let claims = encoded(json!({ "iss": "https://bench.example.com", "aud": "ferrule",
        "sub": "bench", "exp": 7_258_118_400_u64, "roles": ["all"] }));
    let message = format!("{header}.{claims}");
    let signature = BASE64_URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).unwrap());
    (format!("{message}.{signature}"), json!({ "keys": [jwk] }).to_string())
}
