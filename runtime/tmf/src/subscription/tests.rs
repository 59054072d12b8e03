//! What a hub takes, what its subscribers are sent, and what follows from their answers.

mod delivery;

use proptest::prelude::*;

use super::message::Message;
use super::*;
use crate::version::View;

const AT: Timestamp = Timestamp(1_000);
const BASE: &str = "https://ferrule.example";

#[expect(clippy::needless_pass_by_value, reason = "what is written in place reads better")]
fn hub(api: u16, version: Version, input: Value) -> Result<Subscription, SubscriptionError> {
    Subscription::parse("h1", Source::Api { number: api, version }, AT, &input)
}

fn asking(api: u16, version: Version, query: &str) -> Subscription {
    hub(api, version, json!({ "callback": "http://c.example/x", "query": query })).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "what is written in place reads better")]
fn event(key: &str, name: &str, event_type: &str, body: Value) -> OutboxEvent {
    let record = json!({
        "eventId": "7",
        "eventTime": "2026-01-02T03:04:05.000Z",
        "eventType": event_type,
        "resource": key,
        "event": { name: body },
    });
    OutboxEvent::read(7, record.to_string().as_bytes()).unwrap()
}

fn order_changed(state: &str) -> OutboxEvent {
    let body = json!({
        "id": "o1",
        "href": "/tmf-api/productOrderingManagement/v4/productOrder/o1",
        "state": state,
        "@type": "ProductOrder",
    });
    event("productOrder", "productOrder", "ProductOrderStateChangeEvent", body)
}

fn sent(
    subscription: &Subscription,
    event: &OutboxEvent,
    document: Option<&Value>,
) -> Option<Message> {
    subscription.concerns(event).then(|| subscription.message(event, document, BASE)).flatten()
}

#[test]
fn errors_of_a_hub_name_the_attribute() {
    for (input, attribute) in [
        (json!([]), "callback"),
        (json!({}), "callback"),
        (json!({ "callback": 7 }), "callback"),
        (json!({ "callback": "/relative" }), "callback"),
        (json!({ "callback": "ftp://c.example" }), "callback"),
        (json!({ "callback": "http://" }), "callback"),
        (json!({ "callback": "http://:80/" }), "callback"),
        (json!({ "callback": "http://c.example:0/" }), "callback"),
        (json!({ "callback": "http://c.example:99999/" }), "callback"),
        (json!({ "callback": "http://c.example:+80/" }), "callback"),
        (json!({ "callback": "http://me:secret@c.example/" }), "callback"),
        (json!({ "callback": "http://c.example/a b" }), "callback"),
        (json!({ "callback": "http://c.example/\u{e9}" }), "callback"),
        (json!({ "callback": "http://c.example/#part" }), "callback"),
        (json!({ "callback": "http://[nonsense]/" }), "callback"),
        (json!({ "callback": "http://c.example\\@169.254.169.254/" }), "callback"),
        (json!({ "callback": format!("http://c.example/{}", "a".repeat(3_000)) }), "callback"),
        (json!({ "callback": "http://c.example", "query": 7 }), "query"),
        (json!({ "callback": "http://c.example", "query": "eventType.like=x" }), "query"),
        (json!({ "callback": "http://c.example", "query": "eventType=\"x" }), "query"),
        (json!({ "callback": "http://c.example", "query": "a.regex=(" }), "query"),
        (json!({ "callback": "http://c.example", "query": "fields=id" }), "query"),
        (json!({ "callback": "http://c.example", "query": "a=b&".repeat(600) }), "query"),
        (json!({ "callback": "http://c.example", "payload": "huge" }), "payload"),
        (json!({ "callback": "http://c.example", "payload": null }), "payload"),
    ] {
        let error = hub(622, Version::V4, input.clone()).expect_err(&input.to_string());
        assert_eq!(error.attribute(), attribute, "{input}: {error}");
    }
}

#[test]
fn a_hub_is_answered_as_it_was_sent_and_read_as_it_was_kept() {
    let input =
        json!({ "callback": "http://c.example", "query": "eventId=b", "mine": [1], "id": "x" });
    let subscription = hub(622, Version::V4, input).unwrap();
    let answer =
        json!({ "id": "h1", "callback": "http://c.example", "query": "eventId=b", "mine": [1] });
    assert_eq!(subscription.answer(), answer);
    let again = Subscription::read(&subscription.kept()).unwrap();
    assert_eq!((again.answer(), again.kept()), (answer, subscription.kept()));
    let later = hub(622, Version::V5, json!({ "callback": "http://c.example" })).unwrap();
    assert_eq!(later.answer()["@type"], "Hub");
}

#[test]
fn events_go_to_the_callback_itself_or_below_a_listener() {
    for (callback, url) in [
        ("http://c.example", "http://c.example"),
        ("http://c.example/in", "http://c.example/in"),
        ("http://c.example/listener", "http://c.example/listener/productOrderCreateEvent"),
        ("http://c.example/a/listener/", "http://c.example/a/listener/productOrderCreateEvent"),
        ("http://c.example/listener?k=v", "http://c.example/listener/productOrderCreateEvent?k=v"),
        ("http://c.example/x?to=/listener", "http://c.example/x?to=/listener"),
        ("http://listener", "http://listener"),
        ("HTTP://[::1]:80/listener", "HTTP://[::1]:80/listener/productOrderCreateEvent"),
    ] {
        let callback = Callback::parse(callback).unwrap();
        assert_eq!(callback.url_of("ProductOrderCreateEvent"), url);
    }
}

#[test]
fn only_events_of_its_own_api_concern_a_hub() {
    let order = order_changed("completed");
    assert!(asking(622, Version::V4, "").concerns(&order));
    assert!(!asking(641, Version::V4, "").concerns(&order));
    // Two APIs serve services.
    let service = event("service", "service", "ServiceCreateEvent", json!({ "id": "s" }));
    for (api, is_seen) in [(638, true), (640, true), (622, false), (639, false)] {
        assert_eq!(asking(api, Version::V4, "").concerns(&service), is_seen, "{api}");
    }
    // Three catalogs have import jobs.
    let job =
        event("serviceCatalogImportJob", "importJob", "ImportJobCreateEvent", json!({ "id": "j" }));
    for (api, is_seen) in [(620, false), (633, true), (634, false)] {
        assert_eq!(asking(api, Version::V4, "").concerns(&job), is_seen, "{api}");
    }
    let posted = OutboxEvent::read(1, br#"{"topic":"t","eventId":"e","eventType":"X"}"#).unwrap();
    assert!(!asking(688, Version::V4, "").concerns(&posted));
    let input = json!({ "callback": "http://c.example" });
    let topic =
        |id: &str| Subscription::parse("h", Source::Topic { id: id.into() }, AT, &input).unwrap();
    assert!(topic("t").concerns(&posted) && !topic("u").concerns(&posted));
    assert!(!topic("t").concerns(&order));
}

#[test]
fn a_query_chooses_among_events() {
    let completed = order_changed("completed");
    let document = json!({ "id": "o1", "state": "held", "relatedParty": [{ "id": "p1" }] });
    for (query, is_sent) in [
        ("", true),
        ("eventType=ProductOrderStateChangeEvent", true),
        ("?eventType=ProductOrderCreateEvent,ProductOrderStateChangeEvent", true),
        ("eventType=ProductOrderCreateEvent", false),
        ("eventType.regex=StateChange", true),
        ("event.productOrder.state=completed", true),
        ("event.productOrder.state.ne=completed", false),
        ("eventType=ProductOrderStateChangeEvent&event.productOrder.state=held", false),
        // An attribute that is not in the event is looked up in the document.
        ("event.productOrder.relatedParty.id=p1", true),
        ("event.productOrder.relatedParty.id=p2", false),
        ("correlationId=o1", true),
        ("eventType = ProductOrderStateChangeEvent", true),
        (" eventType  =  ProductOrderCreateEvent , ProductOrderStateChangeEvent ", true),
        ("eventType=ProductOrderCreateEvent;eventType=ProductOrderStateChangeEvent", true),
        ("eventType=ProductOrderCreateEvent;event.productOrder.state=completed", true),
        ("eventType=ProductOrderCreateEvent;event.productOrder.state=held", false),
        ("eventType%20%3D%20%22ProductOrderStateChangeEvent%22", true),
        ("eventTime.gt=2026-01-02", true),
        ("eventTime%3C2026-01-02;eventTime%3E2026-01-03", false),
    ] {
        let subscription = asking(622, Version::V4, query);
        let document = subscription.needs_document().then_some(&document);
        let message = sent(&subscription, &completed, document);
        assert_eq!(message.is_some(), is_sent, "{query}");
        if let Some(message) = message {
            // Attributes that were looked up to choose are not sent.
            assert!(message.body["event"]["productOrder"].get("relatedParty").is_none());
        }
    }
}

#[test]
fn a_query_that_can_never_match_is_refused_with_what_would() {
    for (api, version, query, meant) in [
        (
            622,
            Version::V4,
            "eventType=ProductOrderCreatedEvent",
            "is `ProductOrderCreateEvent` meant?",
        ),
        (
            622,
            Version::V4,
            "eventType.ne=ProductOrderCreatedEvent",
            "takes one of `ProductOrderCreateEvent`",
        ),
        (622, Version::V4, "eventType=ServiceOrderCreateEvent", "`ProductOrderStateChangeEvent`"),
        (622, Version::V4, "eventType=ProductOrderCreateEvent,Nonsense", "not `Nonsense`"),
        (622, Version::V4, "eventType.regex=^Service", "takes one of"),
        (622, Version::V4, "eventType=ProductOrderJeopardyAlertEvent", "ProductOrderJeopardyEvent"),
        (622, Version::V5, "eventType=ProductOrderJeopardyEvent", "ProductOrderJeopardyAlertEvent"),
        (641, Version::V4, "eventType=ServiceOrderCreationEvent", "ServiceOrderCreateEvent"),
        (622, Version::V4, "state=completed", "is `event.productOrder.state` meant?"),
        (622, Version::V4, "productOrder.state=completed", "an event has no attribute"),
        (622, Version::V4, "event.state=completed", "an event has no attribute `event.state`"),
        (
            622,
            Version::V4,
            "event.productOrders.state=held",
            "is `event.productOrder.state` meant?",
        ),
        (622, Version::V4, "event.productOrder.stat=held", "is `event.productOrder.state` meant?"),
        (622, Version::V4, "event.productOrder.state=complete", "is `completed` meant?"),
        (622, Version::V4, "event.productOrder.orderDate=soon", "takes a date-time"),
        (622, Version::V4, "event.productOrder=7", "is an object"),
        (622, Version::V4, "eventTyp=ProductOrderCreateEvent", "is `eventType` meant?"),
        (622, Version::V4, "eventTime.gt=soon", "takes a date-time"),
        (622, Version::V4, "timeOccurred.gt=2026", "is `timeOcurred` meant?"),
        (622, Version::V4, "source.nme=x", "no attribute `source.nme`"),
        (
            622,
            Version::V4,
            "eventType=CancelProductOrderCreateEvent&event.productOrder.state=held",
            "matches no event",
        ),
        (
            622,
            Version::V4,
            "eventType=ProductOrderCreateEvent&eventType.regex=StateChange",
            "matches no event",
        ),
    ] {
        let error = hub(api, version, json!({ "callback": "http://c.example", "query": query }));
        let error = error.expect_err(query);
        assert_eq!(error.attribute(), "query");
        assert!(error.to_string().contains(meant), "{query}: {error}");
    }
}

#[test]
fn a_query_of_a_topic_is_about_what_is_posted() {
    let topic = |query: &str| {
        let input = json!({ "callback": "http://c.example", "query": query });
        Subscription::parse("h", Source::Topic { id: "t".into() }, AT, &input)
    };
    for query in
        ["eventType=Anything", "event.alarm.alarmType=x", "source.id=7", "priority=1;priority=2"]
    {
        assert!(topic(query).is_ok(), "{query}");
    }
    for (query, meant) in [
        ("site=b", "is `event.site` meant?"),
        ("eventTyp=x", "is `eventType` meant?"),
        ("eventTime.gt=soon", "takes a date-time"),
        ("eventType=", ""),
    ] {
        match topic(query) {
            Ok(_) => assert_eq!(meant, "", "{query}"),
            Err(error) => assert!(error.to_string().contains(meant), "{query}: {error}"),
        }
    }
}

#[test]
fn every_event_that_is_told_can_be_asked_for() {
    for api in table::APIS {
        for version in [Version::V4, Version::V5] {
            let source = Source::Api { number: api.number, version };
            for resource in source.resources() {
                let view = View { api, resource, version };
                for kind in resource.event_kinds() {
                    let query = format!("eventType={}", message::event_type(&view, kind));
                    let input = json!({ "callback": "http://c.example", "query": query });
                    assert!(hub(api.number, version, input).is_ok(), "{} {query}", api.number);
                }
            }
        }
    }
}

#[test]
fn subscriptions_stored_before_queries_were_checked_can_be_read() {
    let kept = |query: &str| {
        let input = json!({ "callback": "http://c.example", "query": query });
        let kept = json!({
            "id": "h1",
            "source": { "api": 622, "version": "v4" },
            "since": AT.to_string(),
            "input": input,
        });
        let subscription = Subscription::read(&kept).unwrap();
        assert_eq!(subscription.answer()["query"], query);
        sent(&subscription, &order_changed("completed"), None).is_some()
    };
    for (query, is_sent) in [
        ("eventType=ProductOrderStateChangeEvent", true),
        ("eventType = ProductOrderStateChangeEvent", true),
        ("eventType=ProductOrderCreateEvent;eventType=ProductOrderStateChangeEvent", true),
        ("eventType=ProductOrderChangedEvent", false),
        ("state=completed", false),
        ("state.ne=held", true),
        ("eventType=\"ProductOrder", false),
        ("eventType", false),
    ] {
        assert_eq!(kept(query), is_sent, "{query}");
    }
}

#[test]
fn a_slim_event_has_the_changes_in_an_envelope() {
    let subscription = asking(622, Version::V4, "");
    let message = sent(&subscription, &order_changed("completed"), None).unwrap();
    assert_eq!(
        message.body,
        json!({
            "eventId": "7",
            "eventTime": "2026-01-02T03:04:05.000Z",
            "eventType": "ProductOrderStateChangeEvent",
            "timeOcurred": "2026-01-02T03:04:05.000Z",
            "correlationId": "o1",
            "domain": "Product Ordering",
            "title": "ProductOrderStateChangeEvent",
            "description": "ProductOrderStateChangeEvent of ProductOrder o1",
            "priority": "3",
            "source": {
                "id": "o1",
                "href": "https://ferrule.example/tmf-api/productOrderingManagement/v4/productOrder/o1",
                "@type": "EntityRef",
                "@referredType": "ProductOrder",
            },
            "reportingSystem": {
                "id": "ferrule",
                "name": "Ferrule",
                "@type": "EntityRef",
                "@referredType": "LogicalResource",
            },
            "event": { "productOrder": {
                "id": "o1",
                "href": "https://ferrule.example/tmf-api/productOrderingManagement/v4/productOrder/o1",
                "state": "completed",
                "@type": "ProductOrder",
            } },
            "@type": "ProductOrderStateChangeEvent",
            "@baseType": "Event",
        })
    );
}

#[test]
fn a_full_event_has_the_document_as_it_was_told() {
    let input = json!({ "callback": "http://c.example", "payload": "full" });
    let subscription = hub(622, Version::V4, input).unwrap();
    let now = json!({ "id": "o1", "state": "held", "priority": "1" });
    let message = sent(&subscription, &order_changed("completed"), Some(&now)).unwrap();
    let body = &message.body["event"]["productOrder"];
    assert_eq!((&body["state"], &body["priority"]), (&json!("completed"), &json!("1")));
    // A document that is gone by then is told of as far as the event does.
    assert!(sent(&subscription, &order_changed("completed"), None).is_some());
}

#[test]
fn version_5_has_its_own_words() {
    let body = json!({ "id": "c", "href": "/tmf-api/productCatalogManagement/v4/catalog/c" });
    let catalog = event("productCatalog", "catalog", "CatalogAttributeValueChangeEvent", body);
    let message = sent(&asking(620, Version::V5, ""), &catalog, None).unwrap();
    assert_eq!(message.event_type, "ProductCatalogAttributeValueChangeEvent");
    assert_eq!(message.body["timeOccurred"], "2026-01-02T03:04:05.000Z");
    assert!(message.body.get("timeOcurred").is_none());
    let href = &message.body["event"]["productCatalog"]["href"];
    assert_eq!(href, &format!("{BASE}/tmf-api/productCatalogManagement/v5/productCatalog/c"));
    let query = "eventType=ProductCatalogAttributeValueChangeEvent";
    assert!(sent(&asking(620, Version::V5, query), &catalog, None).is_some());
    // Version 4 calls it otherwise, and has no event of that type.
    let input = json!({ "callback": "http://c.example", "query": query });
    assert!(hub(620, Version::V4, input).is_err());
}

proptest! {
    #[test]
    fn any_callback_is_answered(url in "(http://)?.{0,40}") {
        if let Ok(callback) = Callback::parse(&url) {
            prop_assert!(callback.url_of("XEvent").starts_with(&url[..url.find("://").unwrap()]));
        }
    }

    #[test]
    fn any_hub_is_answered(query in ".{0,60}", state in "[a-z]{1,8}") {
        let input = json!({ "callback": "http://c.example", "query": query });
        if let Ok(subscription) = hub(622, Version::V4, input) {
            sent(&subscription, &order_changed(&state), None);
        }
    }
}

#[test]
fn a_removed_document_is_erased_with_its_event() {
    let shown = json!({ "id": "1", "name": "Ann" });
    let mut removed = event("individual", "individual", "IndividualDeleteEvent", shown);
    let before = json!({ "id": "1", "name": "Ann", "givenName": "Ann", "status": "new" });
    removed.record.insert(BEFORE.into(), before);
    let erase = |body: &mut Value| crate::erasure::erase("individual", body);
    assert!(removed.erase(erase));
    assert_eq!(removed.before().unwrap()["status"], "new");
    assert!(!String::from_utf8(removed.to_bytes()).unwrap().contains("Ann"));
    assert!(!removed.erase(erase));
}
