//! A fulfilment's journal, as its events told it.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::http::Http;
use super::{ANSWER_MAX, DEADLINE, PAUSE_MAX, PAUSE_MIN};

/// What happened, in order.
#[derive(Debug, Default)]
pub(crate) struct Story {
    pub(crate) end: String,
    /// Each event, with its type and the name of its task.
    pub(crate) events: Vec<Value>,
}

impl Story {
    /// The positions of the events of a type, by the names of their tasks.
    pub(crate) fn positions(&self, event_type: &str) -> BTreeMap<&str, usize> {
        let events = self.events.iter().enumerate();
        let events = events.filter(|(_, event)| event["type"] == event_type);
        events.map(|(position, event)| (event["task"].as_str().unwrap(), position)).collect()
    }

    /// How many events of a type there are.
    pub(crate) fn count(&self, event_type: &str) -> usize {
        self.events.iter().filter(|event| event["type"] == event_type).count()
    }

    fn take(&mut self, record: &Value) {
        for event in record["events"].as_array().unwrap() {
            match event["type"].as_str() {
                Some("ended") => self.end = event["end"].as_str().unwrap().to_string(),
                Some("rejected") => self.end = "rejected".into(),
                _ => {}
            }
            self.events.push(event.clone());
        }
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for event in &self.events {
            let (what, task) = (event["type"].as_str(), event["task"].as_str());
            writeln!(f, "{} {}", what.unwrap_or_default(), task.unwrap_or_default())?;
            if event.get("failure").is_some() {
                writeln!(f, "  {}", event["failure"])?;
            }
        }
        writeln!(f, "{}", self.end)
    }
}

impl Http {
    /// Follows a fulfilment to its end, from one server to the next that takes its place.
    pub(crate) async fn ended(&self, id: &str) -> Story {
        self.ended_counting(id, &|| {}).await
    }

    /// The same; tells of each record that comes.
    pub(crate) async fn ended_counting(&self, id: &str, count: &(dyn Fn() + Sync)) -> Story {
        let mut story = Story::default();
        let mut last = None;
        let mut pause = PAUSE_MIN;
        let following = async {
            while story.end.is_empty() {
                // An error means that the server is away; it will come back.
                let asked = self.events(id, last.as_deref());
                if let Ok(Ok(mut stream)) = tokio::time::timeout(ANSWER_MAX, asked).await {
                    while let Ok(Some(event)) = stream.next().await {
                        story.take(&event.data);
                        last = Some(event.id);
                        pause = PAUSE_MIN;
                        count();
                    }
                }
                tokio::time::sleep(pause).await;
                pause = PAUSE_MAX.min(pause * 2);
            }
        };
        let in_time = tokio::time::timeout(DEADLINE, following).await;
        assert!(in_time.is_ok(), "{id} does not end:\n{story}");
        story
    }
}
