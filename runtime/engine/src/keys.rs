//! The keys of facts: one letter for each kind, then the name of the fact. No other module knows them.

use std::ops::Range;

use model::{FulfilmentId, PluginId, PoolId};
use tmf::index;

use crate::stamp::Stamp;

/// A record of a fulfilment's journal.
pub fn journal(fulfilment: &FulfilmentId, record: u32) -> Vec<u8> {
    format!("j/{fulfilment}/{record:08x}").into_bytes()
}

/// The pieces of a record that is not written at once.
pub fn record_pieces(fulfilment: &FulfilmentId, record: u32) -> Vec<u8> {
    format!("g/j/{fulfilment}/{record:08x}/").into_bytes()
}

/// The pieces of all records of a fulfilment.
pub fn records_pieces(fulfilment: &FulfilmentId) -> Vec<u8> {
    format!("g/j/{fulfilment}/").into_bytes()
}

/// The pieces of all records.
pub const RECORD_PIECES: &[u8] = b"g/j/";

/// Exists while the pieces of a record are written, and not the record.
pub fn cut(fulfilment: &FulfilmentId, record: u32) -> Vec<u8> {
    format!("g/w/{fulfilment}/{record:08x}").into_bytes()
}

/// All records whose pieces are written.
pub const CUT: &[u8] = b"g/w/";

/// The pieces of a document that is not written at once, as a record of its fulfilment left it.
pub fn document_pieces(resource: &str, id: &str, record: u32) -> Vec<u8> {
    format!("g/d/{resource}/{id}/{record:08x}/").into_bytes()
}

/// All journals.
pub const JOURNALS: &[u8] = b"j/";

/// Exists while the data of a fulfilment is removed in more than one commit.
pub fn removing(fulfilment: &FulfilmentId) -> Vec<u8> {
    format!("y/{fulfilment}").into_bytes()
}

/// All fulfilments whose removal has begun.
pub const REMOVING: &[u8] = b"y/";

/// All keys of submissions.
pub const SUBMISSIONS: &[u8] = b"k/";

/// All records of a fulfilment's journal.
pub fn journal_prefix(fulfilment: &FulfilmentId) -> Vec<u8> {
    format!("j/{fulfilment}/").into_bytes()
}

/// Exists while a fulfilment is open.
pub fn open(fulfilment: &FulfilmentId) -> Vec<u8> {
    format!("o/{fulfilment}").into_bytes()
}

/// All open fulfilments.
pub const OPEN: &[u8] = b"o/";

/// Exists while documents of a fulfilment's last record are not all written.
pub fn owed(fulfilment: &FulfilmentId) -> Vec<u8> {
    format!("w/{fulfilment}").into_bytes()
}

/// A document of an inventory or an order: its resource, such as `productOrder`, and id.
pub fn document(resource: &str, id: &str) -> Vec<u8> {
    format!("d/{resource}/{id}").into_bytes()
}

/// All documents of all resources.
pub const DOCUMENTS: &[u8] = b"d/";

/// All documents of a resource.
pub fn documents(resource: &str) -> Vec<u8> {
    format!("d/{resource}/").into_bytes()
}

/// All counts of documents.
pub const COUNTS: &[u8] = b"n/";

/// The number of documents of a resource.
pub fn total(resource: &str) -> Vec<u8> {
    format!("n/{resource}").into_bytes()
}

/// The number of documents of a resource with this value of an attribute.
pub fn count(resource: &str, path: &str, value: &str) -> Vec<u8> {
    format!("n/{resource}\0{path}\0{value}").into_bytes()
}

/// All index entries.
pub const ENTRIES: &[u8] = b"I/";

/// In the place of the code of an attribute that documents are not found by: no entry has it.
const NOT_INDEXED: &str = "--";

/// The index entry of a document with this value of an attribute. Ids and values have no `\0`. The
/// resource and the attribute are one code, since an order leaves many entries.
pub fn entry(resource: &str, path: &str, value: &str, id: &str) -> Vec<u8> {
    let code = index::code(resource, path).unwrap_or(NOT_INDEXED);
    format!("I/{code}{value}\0{id}").into_bytes()
}

/// The index entries of all documents of a resource with this value of an attribute.
pub fn entries(resource: &str, path: &str, value: &str) -> Vec<u8> {
    entry(resource, path, value, "")
}

/// All index entries of the first form, in whose keys the resource and the attribute have their names.
pub const FIRST_ENTRIES: &[u8] = b"i/";

/// The index entry of a document in the first form.
pub fn first_entry(resource: &str, path: &str, value: &str, id: &str) -> Vec<u8> {
    format!("i/{resource}\0{path}\0{value}\0{id}").into_bytes()
}

/// An earlier version of a document.
pub fn version(resource: &str, id: &str, revision: u64) -> Vec<u8> {
    format!("v/{resource}\0{id}\0{revision:016x}").into_bytes()
}

/// All earlier versions of a document.
pub fn versions(resource: &str, id: &str) -> Vec<u8> {
    format!("v/{resource}\0{id}\0").into_bytes()
}

/// The last revision of a removed document.
pub fn ended(resource: &str, id: &str) -> Vec<u8> {
    format!("r/{resource}\0{id}").into_bytes()
}

/// The last revisions of the removed documents of a resource.
pub fn all_ended(resource: &str) -> Vec<u8> {
    format!("r/{resource}\0").into_bytes()
}

/// The resource and the id of the document that a key of [`ended`] names.
pub fn ended_of(key: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(key.strip_prefix(b"r/")?).ok()?.split_once('\0')
}

/// The bytes of an unreadable document that was replaced.
pub fn set_aside(resource: &str, id: &str) -> Vec<u8> {
    format!("a/{resource}\0{id}").into_bytes()
}

/// The reservation of a pool value.
pub fn reservation(pool: &PoolId, index: u64) -> Vec<u8> {
    format!("h/{pool}/{index:012x}").into_bytes()
}

/// All reservations of a pool.
pub fn reservations(pool: &PoolId) -> Vec<u8> {
    format!("h/{pool}/").into_bytes()
}

/// All reservations.
pub const RESERVATIONS: &[u8] = b"h/";

/// The head of a callback that arrived before its task asked for it.
pub fn callback(key: &str) -> Vec<u8> {
    format!("c/{key}").into_bytes()
}

/// The body of such a callback; its head lies under [`callback`].
pub fn callback_body(key: &str) -> Vec<u8> {
    format!("b/{key}").into_bytes()
}

/// The heads of all kept callbacks.
pub const CALLBACKS: &[u8] = b"c/";

/// Why a fulfilment is set aside.
pub fn quarantine(fulfilment: &str) -> Vec<u8> {
    format!("z/{fulfilment}").into_bytes()
}

/// All fulfilments that are set aside.
pub const QUARANTINE: &[u8] = b"z/";

/// The secret that the addresses of callbacks are derived from.
pub const CALLBACK_SECRET: &[u8] = b"s/callback-secret";

/// A notification in the outbox, by its number.
pub fn outbox(sequence: u64) -> Vec<u8> {
    format!("e/{sequence:016x}").into_bytes()
}

/// All notifications.
pub const OUTBOX: &[u8] = b"e/";

/// The version of the indexes.
pub const INDEXED: &[u8] = b"s/indexed";

/// The number of the next notification.
pub const NEXT_EVENT: &[u8] = b"s/event";

/// An entry of the audit, by its number.
pub fn audit(sequence: u64) -> Vec<u8> {
    format!("f/{sequence:016x}").into_bytes()
}

/// All entries of the audit.
pub const AUDIT: &[u8] = b"f/";

/// The number and the hash of the last entry of the audit.
pub const AUDIT_HEAD: &[u8] = b"s/audit-head";

/// The number of the last entry of the audit that was sent to a receiver of syslog.
pub const AUDIT_SENT: &[u8] = b"s/audit-sent";

/// The digests of the settings, packs and plugins that the audit saw last.
pub const AUDIT_SEEN: &[u8] = b"s/audit-seen";

/// The number and the hash of the last entry that was removed from the beginning of the audit.
pub const AUDIT_ANCHOR: &[u8] = b"s/audit-anchor";

/// The progress of the delivery to a subscription.
pub fn progress(subscription: &str) -> Vec<u8> {
    format!("u/{subscription}").into_bytes()
}

/// An event that a subscriber refused.
pub fn dead_letter(subscription: &str, sequence: u64) -> Vec<u8> {
    format!("x/{subscription}/{sequence:016x}").into_bytes()
}

/// All events that subscribers refused.
pub const DEAD_LETTERS: &[u8] = b"x/";

/// All events that a subscriber refused.
pub fn dead_letters(subscription: &str) -> Vec<u8> {
    format!("x/{subscription}/").into_bytes()
}

/// The fulfilment of a client's `Idempotency-Key`.
pub fn submission(key: &str) -> Vec<u8> {
    format!("k/{key}").into_bytes()
}

/// An API key, by its id.
pub fn api_key(id: &str) -> Vec<u8> {
    format!("K/k/{id}").into_bytes()
}

/// All API keys.
pub const API_KEYS: &[u8] = b"K/k/";

/// When an API key was used last.
pub fn api_key_use(id: &str) -> Vec<u8> {
    format!("K/u/{id}").into_bytes()
}

/// The session of a person, by the hash of its secret.
pub fn session(hash: &str) -> Vec<u8> {
    format!("S/r/{hash}").into_bytes()
}

/// The sessions of all people.
pub const SESSIONS: &[u8] = b"S/r/";

/// When a session was used last.
pub fn session_use(hash: &str) -> Vec<u8> {
    format!("S/u/{hash}").into_bytes()
}

/// When each session was used last.
pub const SESSION_USES: &[u8] = b"S/u/";

/// The hash in a key of [`SESSIONS`] or [`SESSION_USES`].
pub fn session_of(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.get(SESSIONS.len()..)?).ok()
}

/// The last order of a quote.
pub fn quote(quote: &str) -> Vec<u8> {
    format!("q/{quote}").into_bytes()
}

/// The log of a plugin in a call for an attempt, which was recorded at a time: an attempt that waits for
/// a callback has two calls, and the attempts at an undo have numbers of their own.
pub fn log(fulfilment: &FulfilmentId, task: u32, attempt: u32, at: Stamp) -> Vec<u8> {
    let time = time(at);
    format!("l/{fulfilment}/{task:08x}/{attempt:08x}!{time}").into_bytes()
}

/// A note of the engine about an attempt, listed after the log of the plugin.
pub fn note(fulfilment: &FulfilmentId, task: u32, attempt: u32) -> Vec<u8> {
    format!("l/{fulfilment}/{task:08x}/{attempt:08x}+").into_bytes()
}

/// The figures of attempts that were recorded together, by the first of them.
pub fn telemetry(fulfilment: &FulfilmentId, at: Stamp, task: u32, attempt: u32) -> Vec<u8> {
    let time = time(at);
    format!("m/{fulfilment}/{time}.{task:x}.{attempt:x}").into_bytes()
}

/// The figures of all attempts of a fulfilment, in the order of time.
pub fn telemetries(fulfilment: &FulfilmentId) -> Vec<u8> {
    format!("m/{fulfilment}/").into_bytes()
}

/// What a call for an attempt exchanged with elements.
pub fn exchanges(fulfilment: &FulfilmentId, task: u32, attempt: u32, at: Stamp) -> Vec<u8> {
    let time = time(at);
    format!("t/{fulfilment}/{task:08x}/{attempt:08x}!{time}").into_bytes()
}

/// All exchanges of a fulfilment.
pub fn all_exchanges(fulfilment: &FulfilmentId) -> Vec<u8> {
    format!("t/{fulfilment}/").into_bytes()
}

/// A time in a key; keys are in the order of their times.
fn time(at: Stamp) -> String {
    format!("{:014x}", at.0)
}

/// All logs of a fulfilment.
pub fn logs(fulfilment: &FulfilmentId) -> Vec<u8> {
    format!("l/{fulfilment}/").into_bytes()
}

/// A key in the scratch space of a plugin.
pub fn scratch(plugin: &PluginId, key: &str) -> Vec<u8> {
    format!("p/{plugin}/{key}").into_bytes()
}

/// The scratch spaces of all plugins.
pub const SCRATCH: &[u8] = b"p/";

/// The plugin and the key that a key of [`SCRATCH`] names. Ids of plugins have no `/`.
pub fn scratch_of(key: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(key.strip_prefix(SCRATCH)?).ok()?.split_once('/')
}

/// The resource and the id of the document that a key of [`DOCUMENTS`] names.
pub fn document_of(key: &[u8]) -> Option<(&str, &str)> {
    std::str::from_utf8(key.strip_prefix(DOCUMENTS)?).ok()?.split_once('/')
}

/// The resource, the path, the value and the id of a key of [`ENTRIES`].
pub fn entry_of(key: &[u8]) -> Option<[&str; 4]> {
    let text = std::str::from_utf8(key.strip_prefix(ENTRIES)?).ok()?;
    let (code, rest) = text.split_at_checked(index::CODE_BYTES)?;
    let (resource, path) = index::named(code)?;
    let (value, id) = rest.split_once('\0')?;
    Some([resource, path, value, id])
}

/// The resource, the path, the value and the id of a key of [`FIRST_ENTRIES`].
pub fn first_entry_of(key: &[u8]) -> Option<[&str; 4]> {
    let text = std::str::from_utf8(key.strip_prefix(FIRST_ENTRIES)?).ok()?;
    text.splitn(4, '\0').collect::<Vec<_>>().try_into().ok()
}

/// The key of today for one of [`FIRST_ENTRIES`]; `None` if documents are not found by its attribute.
pub fn entry_of_first(key: &[u8]) -> Option<Vec<u8>> {
    let [resource, path, value, id] = first_entry_of(key)?;
    index::code(resource, path).map(|_| entry(resource, path, value, id))
}

/// The place of the value in the key of an index entry of any form, or in the beginning of one.
pub fn value_in_entry(key: &[u8]) -> Option<Range<usize>> {
    let mut ends = key.iter().enumerate().filter(|(_, byte)| **byte == 0).map(|(at, _)| at);
    if key.starts_with(ENTRIES) {
        let begin = ENTRIES.len() + index::CODE_BYTES;
        return Some(begin..ends.find(|end| *end >= begin)?);
    }
    if !key.starts_with(FIRST_ENTRIES) {
        return None;
    }
    let (_resource, path, value) = (ends.next()?, ends.next()?, ends.next()?);
    Some(path + 1..value)
}

/// The fulfilment and the number of the record that a key of [`JOURNALS`] names.
pub fn record_of(key: &[u8]) -> Option<(&str, u32)> {
    let text = std::str::from_utf8(key.strip_prefix(JOURNALS)?).ok()?;
    let (fulfilment, number) = text.rsplit_once('/')?;
    Some((fulfilment, u32::from_str_radix(number, 16).ok()?))
}
