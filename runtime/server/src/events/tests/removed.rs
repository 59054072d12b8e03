//! Events about documents that are gone: who may read them is told by what the documents were.

use super::*;

const ROLES: &str = r#"
[dealer]
allow = [{ api = "TMF629", verbs = ["read"], when = "document.dealer == identity.claims.dealer" }]
[rest]
allow = [{ api = "TMF629", verbs = ["read"], when = "!has(document.dealer)" }]
"#;

fn reader(role: &str) -> Arc<Identity> {
    Arc::new(Identity { roles: [RoleName::new(role)].into(), ..(*dealer("a")).clone() })
}

/// The events that a client with a role gets of some changes, which are all made before the first is
/// delivered.
async fn told(role: &str, changes: Vec<Put>) -> Vec<String> {
    let roles = Roles::new(&toml::from_str(ROLES).unwrap(), &permits::permissions()).unwrap();
    let (store, known) = (Memory::new(), permits::permissions());
    let settings = settings().with_owners(Owners::new(roles), known);
    let bench = open(&store, settings.clone());
    let (own, all) = (Receiver::start().await, Receiver::start().await);
    let source = Source::Api { number: 629, version: Version::V4 };
    for (receiver, owner) in [(&own, Some(reader(role))), (&all, None)] {
        let input = json!({ "callback": receiver.url("") });
        bench.events.subscribe(source.clone(), &input, owner.as_ref()).await.unwrap();
    }
    let count = changes.len();
    for change in changes {
        bench.events.engine().write(vec![change]).await.unwrap();
    }
    let bench = running(&store, settings);
    for subscriber in bench.events.all() {
        bench.until(&subscriber, |progress| progress.next == count as u64).await;
    }
    assert_eq!(all.seen().len(), count);
    for (_, body) in all.seen() {
        assert!(body.get(tmf::subscription::BEFORE).is_none(), "{body}");
    }
    let told = own.seen().into_iter().map(|(_, body)| {
        let event = &body["event"]["customer"];
        let kind = body["eventType"].as_str().unwrap().trim_start_matches("Customer");
        format!("{kind} {}", event["id"].as_str().unwrap())
    });
    told.collect()
}

fn customer(id: &str, dealer: &str, name: &str) -> Put {
    Put::set("customer", id, json!({ "id": id, "dealer": dealer, "name": name }))
}

fn remove(id: &str) -> Put {
    Put::new("customer", id, Change::Remove, Expected::Anything)
}

#[tokio::test]
async fn a_removal_is_told_to_those_who_could_read_the_document() {
    let changes = || {
        vec![
            customer("x", "a", "Ann"),
            customer("y", "b", "Eve"),
            customer("x", "a", "Anna"),
            remove("x"),
            remove("y"),
        ]
    };
    assert_eq!(told("dealer", changes()).await, ["CreateEvent x", "DeleteEvent x"]);
    // The head of a document has less attributes than the document.
    assert!(told("rest", changes()).await.is_empty());
}

#[tokio::test]
async fn a_document_with_the_id_of_a_removed_one_tells_nothing_of_it() {
    let changes = |first: &str, second: &str| {
        vec![customer("x", first, "Ann"), remove("x"), customer("x", second, "Eve")]
    };
    assert_eq!(told("dealer", changes("a", "b")).await, ["DeleteEvent x"]);
    assert_eq!(told("dealer", changes("b", "a")).await, ["CreateEvent x"]);
}

#[tokio::test]
async fn the_removal_of_a_document_that_is_too_large_to_be_kept_is_told_to_those_who_read_all() {
    let long = "x".repeat(70_000);
    assert_eq!(
        told("dealer", vec![customer("x", "a", &long), remove("x")]).await,
        ["CreateEvent x"]
    );
}
