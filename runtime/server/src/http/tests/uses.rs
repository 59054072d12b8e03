//! Documents in use are not removed, whatever uses them.

use axum::body::Body;
use engine::documents::Put;
use serde_json::{Value, json};
use tmf::table::{of_key, path};
use tmf::uses::{Lasting, STANDS_ON, USES, Use};

use super::bench::{Answer, Bench};

async fn delete(bench: &Bench, key: &str, id: &str) -> Answer {
    bench.send(&format!("DELETE {}/{id}", path(key)), &[], Body::empty()).await
}

async fn put(bench: &Bench, key: &'static str, mut body: Value, state: Option<&str>) {
    let (_, resource) = of_key(key).unwrap();
    if let (Some(lifecycle), Some(state)) = (resource.lifecycle, state) {
        body[lifecycle.attribute] = json!(state);
    }
    let id = body["id"].as_str().unwrap().to_string();
    bench.services.documents.write(vec![Put::set(key, id, body)]).await.unwrap();
}

/// A state in which a document of this use keeps what it refers to, and one in which it does not.
fn states(found: &Use) -> (Option<&'static str>, Option<&'static str>) {
    let lifecycle = of_key(found.by).unwrap().1.lifecycle;
    match found.lasting {
        Lasting::In(states) => (Some(states[0]), Some("In Study")),
        Lasting::Until(states) => (Some("open"), Some(states[0])),
        Lasting::UntilFinal => {
            let states = lifecycle.map(|lifecycle| lifecycle.next).unwrap_or_default();
            let is_final =
                |state: &&str| lifecycle.is_some_and(|lifecycle| lifecycle.is_final(state));
            let names = || states.iter().map(|(state, _)| *state);
            (names().find(|state| !is_final(state)), names().find(is_final))
        }
    }
}

/// A document with this id that refers to another along a path.
fn referring(id: &str, path: &str, to: &str) -> Value {
    let mut document = path.rsplit('.').fold(json!({ "id": to }), |below, name| {
        let below = json!([below]);
        json!({ name: below })
    });
    document["id"] = json!(id);
    document
}

#[tokio::test]
async fn a_document_in_use_is_not_removed_until_its_user_has_ended() {
    let bench = Bench::new();
    for (n, found) in USES.iter().enumerate() {
        let (live, over) = states(found);
        for of in found.of {
            let (it, user) = (format!("it-{n}-{of}"), format!("user-{n}-{of}"));
            put(&bench, of, json!({ "id": it, "name": "x" }), None).await;
            let document = referring(&user, found.path, &it);
            put(&bench, found.by, document.clone(), live).await;
            let refused = delete(&bench, of, &it).await;
            let told = refused.body["message"].as_str().unwrap_or_default();
            assert_eq!(refused.status, 409, "{of} used by {found:?}: {}", refused.text);
            assert!(told.contains(&format!("`{user}`")) && told.contains(found.path), "{told}");
            match over {
                Some(over) => put(&bench, found.by, document, Some(over)).await,
                None => {
                    bench.services.documents.write(vec![removed(found.by, &user)]).await.unwrap();
                }
            }
            let removed = delete(&bench, of, &it).await;
            assert_eq!(removed.status, 204, "{of} used by {found:?}: {}", removed.text);
        }
    }
}

fn removed(key: &'static str, id: &str) -> Put {
    use engine::documents::{Change, Expected};
    Put::new(key, id, Change::Remove, Expected::Anything)
}

#[tokio::test]
async fn an_instance_that_stands_on_others_is_ended_before_it_is_removed() {
    let bench = Bench::new();
    for (n, (key, path, below)) in STANDS_ON.iter().enumerate() {
        let (it, part) = (format!("it-{n}"), format!("part-{n}"));
        let live = if *below == "resource" { "reserved" } else { "active" };
        put(&bench, below, json!({ "id": part }), Some(live)).await;
        let document = referring(&it, path, &part);
        put(&bench, key, document.clone(), Some("active")).await;
        let refused = delete(&bench, key, &it).await;
        assert_eq!(refused.status, 409, "{key} on {path}: {}", refused.text);
        assert!(refused.text.contains(&part), "{}", refused.text);
        put(&bench, key, document, Some("terminated")).await;
        assert_eq!(delete(&bench, key, &it).await.status, 204, "{key} on {path}");
    }
}
