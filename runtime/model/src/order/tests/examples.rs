//! Orders that others wrote are read.

use std::path::Path;

use super::*;

#[test]
#[expect(clippy::print_stdout, reason = "what is skipped is skipped out loud")]
fn every_order_of_the_examples_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/examples");
    let mut read = 0;
    for path in below(&folder) {
        let text = std::fs::read_to_string(&path).unwrap();
        let Ok(document) = serde_json::from_str::<Value>(&text) else { continue };
        // Some samples are a request with its body, some are lists of documents.
        let one = std::slice::from_ref(&document);
        for document in document.as_array().map_or(one, Vec::as_slice) {
            for level in [Level::Product, Level::CustomerService] {
                let names = Form::of(level).names();
                // An event or an answer that was cut short is no order.
                if document.get(names.items).is_some_and(|items| items[0].get("action").is_some()) {
                    let order = Order::parse(level, document);
                    assert!(order.is_ok(), "{}: {}", path.display(), order.unwrap_err());
                    read += 1;
                }
            }
        }
    }
    if read == 0 {
        println!("skipped: the examples are not on this machine");
    } else {
        assert!(read >= 12, "{read} orders");
    }
}

fn below(folder: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect()
}
