//! Much at once, through the command line and kills: each row once, whatever happens in between.

use std::path::Path;

use serde_json::json;

use crate::world::{World, ferrule};

/// Enough rows for an import that outlasts some kills.
const ROWS: usize = 30_000;

/// Min kills of the server during an import.
const KILLS: usize = 3;

fn write_rows(file: &Path) {
    let mut text = String::new();
    for row in 0..ROWS {
        let product = json!({
            "id": format!("P-{row:06}"),
            "name": "SuperFibre 200",
            "status": "active",
            "productSerialNumber": format!("SN{row}"),
            "relatedParty": [{ "id": format!("C-{}", row % 997), "role": "Customer",
                "@referredType": "Customer" }],
        });
        text.push_str(&product.to_string());
        text.push('\n');
    }
    std::fs::write(file, text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_again_and_again_has_each_row_once() {
    let mut world = World::start().await;
    let file = world.folder.path().join("products.ndjson");
    write_rows(&file);
    let url = world.http.base.clone();
    let arguments =
        ["import", "product", file.to_str().unwrap(), "--server", &url].map(str::to_string);
    let place = "/orchestration/v1/imports";
    let (mut killed, mut lines) = (0, 0);
    loop {
        let import = {
            let arguments = arguments.clone();
            tokio::spawn(async move {
                ferrule(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await
            })
        };
        // Each kill comes when rows went in since the one before.
        while killed < KILLS && !import.is_finished() {
            let progress = world.http.get(place).await;
            let now = progress[0]["lines"].as_u64().unwrap_or_default();
            if now > lines {
                lines = now;
                world.kill().await;
                killed += 1;
                break;
            }
            tokio::task::yield_now().await;
        }
        let ended = import.await.unwrap();
        if ended.ok {
            assert!(ended.out.starts_with(&format!("{ROWS} lines:")), "{}", ended.out);
            assert!(ended.out.contains(&format!("{ROWS} created, 0 replaced, 0 kept")));
            break;
        }
        assert_eq!(ended.code, Some(1), "{}", ended.err);
        world.restart().await;
    }
    assert_eq!(killed, KILLS, "the import was over too soon to be killed");
    let path = "/tmf-api/productInventory/v4/product?limit=1";
    assert_eq!(world.http.total(path).await, ROWS);
    let of_one = world.http.total(&format!("{path}&relatedParty.id=C-5")).await;
    assert_eq!(of_one, ROWS / 997 + 1);

    // All of it comes out again, also where the file was cut off.
    let out = world.folder.path().join("out.ndjson");
    let out = out.to_str().unwrap();
    let export = ["export", "product", "--server", &url, "--output", out];
    assert!(ferrule(&export).await.ok);
    let whole = std::fs::read_to_string(out).unwrap();
    assert_eq!(whole.lines().count(), ROWS);
    let again = ferrule(&export).await;
    assert!(!again.ok && again.err.contains("--resume"), "{}", again.err);
    std::fs::write(out, &whole[..whole.len() / 2]).unwrap();
    assert!(ferrule(&[&export[..], &["--resume"]].concat()).await.ok);
    assert_eq!(std::fs::read_to_string(out).unwrap(), whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_line_is_named_with_what_to_do_next() {
    let world = World::start().await;
    let file = world.folder.path().join("people.ndjson");
    let url = world.http.base.clone();
    let good = json!({ "id": "I-1", "givenName": "Ann", "familyName": "Walker" });
    std::fs::write(
        &file,
        format!("{good}\n{{\"id\":\"I-2\",\"givenName\":7,\"familyName\":\"W\"}}\n"),
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let stopped = ferrule(&["import", "individual", file, "--server", &url]).await;
    assert_eq!(stopped.code, Some(1));
    assert!(stopped.err.contains("line 2: `givenName`"), "{}", stopped.err);
    assert!(stopped.err.contains("--name individual-"), "{}", stopped.err);
    let skipped = ferrule(&["import", "individual", file, "--server", &url, "--skip-wrong"]).await;
    assert_eq!(skipped.code, Some(1));
    assert!(skipped.out.starts_with("2 lines: 1 created, 0 replaced, 0 kept, 1 refused"));
    let missing = ferrule(&["import", "individual", "nowhere.ndjson", "--server", &url]).await;
    assert!(missing.err.contains("cannot read `nowhere.ndjson`"), "{}", missing.err);
}
