//! Every operation of our own API. A request that is not listed here reaches no handler.

use super::operation::{
    Attribute, Body, Content, Kind, Operation, Parameter, Reaches, delete, get, may, must, object,
    object_or_nothing, open_object, parameter, post, put,
};
use crate::access::Verb;

const OFFSET: Parameter = parameter("offset", Kind::Number, "how many to pass over");
const LIMIT: Parameter = parameter("limit", Kind::Number, "how many to answer with at most");
const JOURNAL: Parameter = parameter("journal", Kind::Boolean, "`true`: with its journal");
const WAIT: Parameter =
    parameter("wait", Kind::Text, "how long to wait for the end, such as `30s`; at most 300s");
const BY: Attribute = may("by", Kind::Text, "who decides; kept in the journal");
const REASON: Attribute = may("reason", Kind::Text, "why; kept in the journal");

const READ: &[Verb] = &[Verb::Read];
const QUOTE: Reaches = Reaches::Each("quote", READ);
const CUSTOMER: Reaches = Reaches::Each("customer", READ);
const CUSTOMERS: Reaches = Reaches::Whole(&["customer", "individual", "organization"], READ);
const BILL: Reaches = Reaches::Each("customerBill", READ);
const NETWORK: Reaches = Reaches::Whole(&["service", "resource"], READ);

/// Whether an entry of a catalog can be ordered: other entries are among the reasons.
const STANDING: &[Reaches] = &[Reaches::InPath(READ), Reaches::Catalogs];

/// What bills are made of.
const BOOKS: Reaches = Reaches::Whole(
    &[
        "customerBill",
        "appliedCustomerBillingRate",
        "billingAccount",
        "billingCycleSpecification",
        "product",
        "usage",
    ],
    READ,
);

/// The states of open orders and runs, as fulfilments and orders show them.
const OPEN: &[&str] =
    &["running", "rollingBack", "held", "pending", "inProgress", "pendingCancellation"];

/// All of them, in the order of the page.
pub(in crate::http) static OPERATIONS: &[Operation] = &[
    // Workflows and runs.
    get("/workflows", "workflows", "Lists the workflows of all packs").answers(200, Content::Array),
    post(
        "/workflows/{name}/runs",
        "workflow runs",
        "Runs a workflow with the body as its input; with `wait` the answer comes when it has ended",
    )
    .query(&[WAIT])
    .keyed()
    .sends(Body::Any)
    .answers(201, Content::Object)
    .or(&[(200, "The run has ended"), (202, "It has not ended in this time")]),
    get("/runs/{id}", "run", "Shows a run with its tasks and their outputs").query(&[JOURNAL]),
    post("/runs/{id}/cancel", "run cancel", "Cancels a run: what was done is rolled back")
        .sends(object_or_nothing(&[REASON])),
    delete("/runs/{id}", "run", "Removes a run that has ended, with its journal and logs"),
    // Fulfilments.
    get(
        "/fulfilments/{id}",
        "fulfilment",
        "Shows what becomes of an order: items, tasks, waves, failures. Its id is that of the order. With `wait` the \
         answer is short, and comes when it has ended",
    )
    .query(&[JOURNAL, WAIT])
    .or(&[(202, "It has not ended within `wait`")]),
    get("/fulfilments/{id}/plan", "fulfilment plan", "Prints its plan").answers(200, Content::Text),
    get(
        "/fulfilments/{id}/events",
        "fulfilment events",
        "Follows its journal: past records first, then live ones, until its end. Continues after \
         `Last-Event-ID`",
    )
    .answers(200, Content::Events)
    .or(&[(204, "It has ended, and all was sent")]),
    get("/fulfilments/{id}/logs", "fulfilment logs", "Lists what plugins logged, by task and attempt")
        .answers(200, Content::Array),
    get(
        "/fulfilments/{id}/attempts",
        "fulfilment attempts",
        "Lists the attempts at its tasks with what each took, in the order of time",
    )
    .query(&[OFFSET, LIMIT])
    .answers(200, Content::Array),
    get(
        "/fulfilments/{id}/tasks/{task}/attempts",
        "task attempts",
        "Lists the attempts at a task with what its plugin was given, its HTTP exchanges and its log",
    )
    .query(&[OFFSET, LIMIT])
    .answers(200, Content::Array),
    post("/fulfilments/{id}/retry", "fulfilment retry", "Tries what failed again, or plans it again"),
    post(
        "/fulfilments/{id}/complete",
        "fulfilment complete",
        "Records that a failed or waiting task, or an undo that failed, was done by hand",
    )
    .sends(object(&[
            must("task", Kind::Text, "the task, such as `RFS-VLAN.activate`"),
            may("outputs", Kind::Object, "what the task puts out"),
            BY,
            REASON,
        ])),
    post(
        "/fulfilments/{id}/giveUp",
        "fulfilment give-up",
        "Gives up a line, an item or a task: its line is rolled back. An undo that failed is left as it is",
    )
    .sends(object(&[
            may("item", Kind::Text, "a line by its id, or an item by its name; this or `task`"),
            may("task", Kind::Text, "a task"),
            may("release", Kind::Boolean, "releases the values that a failed undo keeps reserved"),
            BY,
            REASON,
        ])),
    post(
        "/callbacks/{address}",
        "callbacks",
        "Answers a waiting task at the address that it was given, which is proof enough of the element",
    )
    .proven_by_path()
    .sends(Body::Any)
    .or(&[(202, "Kept until a task waits for it")]),
    post(
        "/callbacks/{plugin}/{key...}",
        "callbacks",
        "Answers the task of a plugin that waits for a key",
    )
    .sends(Body::Any)
    .or(&[(202, "Kept until a task waits for it")]),
    get("/quarantine", "quarantine", "Lists fulfilments that were set aside, since they cannot be read")
        .answers(200, Content::Array)
    .reaches(&[Reaches::Work]),
    get("/quarantine/{id}", "quarantine", "Shows why one was set aside")
    .reaches(&[Reaches::Work]),
    post("/quarantine/{id}/retry", "quarantine", "Reads it again")
    .reaches(&[Reaches::Work]),
    post("/quarantine/{id}/give-up", "quarantine", "Fails its orders and releases what it locks")
    .reaches(&[Reaches::Work]),
    // Orders and quotes.
    post(
        "/simulate/{order}",
        "simulate",
        "Tells what a `productOrder`, `serviceOrder` or `resourceOrder` would become; as text with \
         `Accept: text/plain`",
    )
    .sends(Body::Order)
    .answers(200, Content::ObjectOrText)
    .reaches(&[Reaches::InPath(&[Verb::Create]), Reaches::Catalogs]),
    post("/quotes/{id}/order", "quote order", "Orders an accepted quote, once")
        .answers(201, Content::Object)
        .reaches(&[QUOTE, Reaches::Each("productOrder", &[Verb::Create]), Reaches::Catalogs]),
    post("/quotes/{id}/version", "quote version", "Makes the next version of a quote")
        .answers(201, Content::Object)
        .reaches(&[QUOTE, Reaches::Each("quote", &[Verb::Create]), Reaches::Catalogs]),
    // What is installed.
    get("/packs", "packs", "Lists the packs in use, and those with mistakes").answers(200, Content::Array),
    get("/plugins", "plugins", "Lists the plugins with the open work of each version, and the files that were rejected")
        .answers(200, Content::Array),
    get("/plugins/{id}", "plugins", "Shows a plugin with all versions that it has had"),
    put(
        "/plugins/{id}",
        "plugins",
        "Installs a component, if the folder of plugins would take it in; the same bytes again change nothing",
    )
    .sends(Body::Component)
    .or(&[(201, "It is new")]),
    put(
        "/plugins/{id}/candidate",
        "plugins",
        "Puts a component on trial: some new orders use it, or in shadow it only repeats their calls; again \
         with another share or mode, the trial changes",
    )
    .query(&[
        parameter(
            "mode",
            Kind::Choice(&["live", "shadow"]),
            "`shadow`: no order uses it; it repeats calls without effects and is compared",
        ),
        parameter("share", Kind::Number, "the share of orders, in percent, by a hash of their id"),
        parameter("customers", Kind::Text, "ids with commas: all orders of these customers take part"),
    ])
    .sends(Body::Component),
    get(
        "/plugins/{id}/shadow",
        "plugins",
        "Shows how often the component in shadow did the same since the server started, and the calls in which \
         it did not, the latest first",
    )
    .query(&[OFFSET, LIMIT]),
    delete("/plugins/{id}/candidate", "plugins", "Aborts the trial: no new order uses the component"),
    post("/plugins/{id}/candidate/promote", "plugins", "Has all new orders use the component on trial"),
    post(
        "/plugins/{id}/moves",
        "plugin moves",
        "Moves open orders and runs to another version, up to 1000 at once; with `dryRun` it only lists a page of \
         them",
    )
    .query(&[OFFSET, LIMIT])
    .sends(object(&[
        must("from", Kind::Text, "the version that they use, by its digest or the beginning of it"),
        must("to", Kind::Text, "the version that they are to use"),
        may("fulfilments", Kind::Text, "only these, by their ids with commas"),
        may("state", Kind::Choice(OPEN), "only those in this state"),
        may("task", Kind::Text, "only those with an open task of this name, or of this step"),
        may("customer", Kind::Text, "only orders of this customer, by its id"),
        may("submittedBefore", Kind::Time, "only those that were submitted before"),
        may("token", Kind::Text, "that of a preview: 409, and nothing is moved, if they are others by now"),
        may("dryRun", Kind::Boolean, "`true`: nothing is moved"),
        BY,
        REASON,
    ]))
    .reaches(&[Reaches::Work]),
    get("/plugins/{id}/scratch", "plugin scratch", "Lists the keys of a plugin's scratch space, with their sizes")
        .query(&[
            parameter("prefix", Kind::Text, "only keys that begin with this"),
            parameter("after", Kind::Text, "only keys after this one: `next` of the page before"),
            LIMIT,
        ]),
    get(
        "/plugins/{id}/scratch/{key...}",
        "plugin scratch",
        "Shows a value as text; the plugin's secrets and settings are masked",
    ),
    delete("/plugins/{id}/scratch", "plugin scratch", "Deletes all that a plugin keeps")
        .answers(200, Content::Object),
    delete("/plugins/{id}/scratch/{key...}", "plugin scratch", "Deletes one key")
        .answers(200, Content::Object),
    delete("/plugins/{id}", "plugins", "Removes a plugin; open orders go on with the copy that is kept"),
    post("/plugins/{id}/rollback", "plugins", "Goes back to the version before, or to another that is kept").sends(
        object_or_nothing(&[may("digest", Kind::Text, "the version, by its digest or the beginning of it")]),
    ),
    get("/pools", "pools", "Lists the pools, with how many values are reserved")
        .answers(200, Content::Array),
    get("/pools/{id}/values", "pools", "Lists the reserved values of a pool, and what uses each").query(&[
        parameter("unused", Kind::Boolean, "`true`: only those that nothing uses"),
        parameter("after", Kind::Number, "continues after this: the `next` of the last answer"),
        LIMIT,
    ]),
    post("/pools/{id}/release", "pools", "Releases a value that nothing uses").sends(object(&[must("value", Kind::Text, "the value"), BY, REASON])),
    get(
        "/catalog/{resource}",
        "catalog",
        "Lists the entities of a kind, such as `productOffering`, with whether each can be ordered and why not",
    )
    .query(&[
        parameter("isOrderable", Kind::Boolean, "only those that can be ordered, or only those that cannot"),
        OFFSET,
        LIMIT,
    ])
    .answers(200, Content::Array)
    .reaches(STANDING),
    get("/catalog/{resource}/{id...}", "catalog", "Tells it of one").reaches(STANDING),
    // Access.
    get("/access", "access", "Shows who makes the request, and what its roles allow")
        .reaches(&[Reaches::OwnIdentity]),
    get("/keys", "keys", "Lists the API keys without their secrets, the newest first")
        .query(&[OFFSET, LIMIT])
        .answers(200, Content::Array),
    post("/keys", "keys", "Makes an API key: `key` of the answer is shown this once")
        .keyed()
        .sends(object(&[
            must("name", Kind::Text, "who is to use it"),
            must("roles", Kind::Texts, "its roles, of those that the client has; an administrator gives any"),
            may("plugins", Kind::Texts, "the plugins that are its own, for a vendor"),
            may("scope", Kind::Texts, "what it is good for of that, such as `TMF622/productOrder:read,create`"),
            may("days", Kind::Number, "how long it is valid, up to 730; 90 by default"),
        ]))
        .answers(201, Content::Object)
        .or(&[(200, "The same request made it before; its secret is not shown again")]),
    get("/keys/{id}", "keys", "Shows an API key without its secret"),
    delete("/keys/{id}", "keys", "Revokes an API key: it stops at once, and its open streams end"),
    // Documents.
    get(
        "/history/{resource}/{id...}",
        "history",
        "Lists all versions of a document, the oldest first, or shows the one of a time",
    )
    .query(&[parameter("at", Kind::Time, "a time: the version of then")])
    .answers(200, Content::ArrayOrObject)
    .reaches(&[Reaches::InPath(&[Verb::Read])]),
    get("/imports", "imports", "Lists imports").query(&[OFFSET, LIMIT]).answers(200, Content::Array),
    get("/imports/{id}", "imports", "Shows how far an import is"),
    put("/imports/{id}", "imports", "Takes documents in, one on each line; continues if it was cut off")
        .query(&[
            parameter("resource", Kind::Text, "of what, as in paths; mandatory"),
            parameter(
                "existing",
                Kind::Choice(&["refuse", "keep", "replace"]),
                "what becomes of a row whose document exists and differs",
            ),
            parameter("wrong", Kind::Choice(&["stop", "skip"]), "what becomes of a wrong row"),
            parameter("from", Kind::Number, "how many lines are left out of the body"),
        ])
        .sends(Body::Lines)
        .reaches(&[Reaches::InQuery(&[Verb::Create, Verb::Change])]),
    delete("/imports/{id}", "imports", "Forgets how far an import is; what it brought stays"),
    get("/exports/{resource}", "exports", "Writes documents, one on each line, in the order of their ids")
        .query(&[parameter("after", Kind::Text, "continues after this id")])
        .filtered()
        .answers(200, Content::Lines)
        .reaches(&[Reaches::InPath(&[Verb::Read])]),
    // Customers and stock.
    get("/customers/duplicates", "customers", "Lists customers that are likely one, in groups").query(&[
        parameter("after", Kind::Text, "continues after this: the `next` of the last answer"),
        LIMIT,
    ])
    .reaches(&[CUSTOMERS]),
    get("/customers/{id}", "customers", "Shows a customer with all that refers to it")
    .reaches(&[CUSTOMER]),
    get("/customers/{id}/interactions", "customers", "Lists what was talked about")
        .answers(200, Content::Array)
    .reaches(&[CUSTOMER]),
    post("/customers/{id}/interactions", "customers", "Notes what was talked about; other attributes are kept")
        .sends(open_object(&[must("description", Kind::Text, "what it was about")]))
        .answers(201, Content::Object)
    .reaches(&[CUSTOMER]),
    post("/customers/{id}/merge", "customers", "Makes one customer of two").sends(object(&[must("duplicate", Kind::Text, "the id of the one that goes")]))
    .reaches(&[Reaches::Everything]),
    get(
        "/persons/{id}",
        "persons",
        "Writes what is kept about an individual or an organization, with earlier versions, one document on each line",
    )
    .answers(200, Content::Lines)
    .reaches(&[Reaches::Everything]),
    post(
        "/persons/{id}/erase",
        "persons",
        "Erases what is about a person; 409 while something of theirs is open or in use. Again, it goes on where it \
         was cut off",
    )
    .sends(object_or_nothing(&[REASON]))
    .reaches(&[Reaches::Everything]),
    post("/stock/reservations/{id}/release", "stock", "Releases a reservation of stock")
    .reaches(&[Reaches::Each("reserveProductStock", READ)]),
    // Billing.
    get("/billing/runs", "billing", "Lists bill runs").answers(200, Content::Array)
    .reaches(&[BOOKS]),
    post("/billing/runs", "billing", "Charges and bills all accounts, or one")
        .sends(object_or_nothing(&[
                may("date", Kind::Day, "the day to bill up to; today by default, no later"),
                may("billingAccount", Kind::Reference, "only this account; its id alone is enough"),
                may("send", Kind::Boolean, "`true`: the bills are sent"),
            ]))
        .answers(201, Content::Object)
    .reaches(&[BOOKS]),
    get("/billing/runs/{id}", "billing", "Shows a bill run")
    .reaches(&[BOOKS]),
    post("/billing/runs/{id}/undo", "billing", "Undoes a bill run")
    .reaches(&[BOOKS]),
    post("/billing/payments", "billing", "Books a payment of a bill")
        .sends(object(&[
                may("id", Kind::Text, "the client's id: the same payment is booked once"),
                must("bill", Kind::Reference, "the bill"),
                must("amount", Kind::Money, "how much"),
            ]))
        .answers(201, Content::Object)
    .reaches(&[BOOKS]),
    post("/billing/adjustments", "billing", "Gives credit on a bill or an account")
        .sends(object(&[
                may("id", Kind::Text, "the client's id: the same adjustment is booked once"),
                may("bill", Kind::Reference, "the bill"),
                may("billingAccount", Kind::Reference, "the account; this or `bill`"),
                must("amount", Kind::Money, "how much before tax"),
                must("reason", Kind::Text, "why"),
            ]))
        .answers(201, Content::Object)
    .reaches(&[BOOKS]),
    post("/billing/write-offs", "billing", "Writes off what is left of a bill")
        .sends(object(&[must("bill", Kind::Reference, "the bill")]))
        .answers(201, Content::Object)
    .reaches(&[BOOKS]),
    get("/billing/ledger", "billing", "Shows the balance of the books")
    .reaches(&[BOOKS]),
    get("/billing/assurance", "billing", "Lists what is active and not billed, and what does not agree")
        .query(&[parameter("until", Kind::Day, "up to this day; today by default")])
    .reaches(&[BOOKS]),
    get("/billing/bills/{id}/document", "billing", "Shows a bill as HTML, or as PDF with `Accept: application/pdf`")
        .answers(200, Content::Document)
    .reaches(&[BILL]),
    get("/billing/bills/{id}/document.pdf", "billing", "Shows a bill as PDF").answers(200, Content::Pdf)
    .reaches(&[BILL]),
    post("/billing/bills/{step}", "billing", "Moves all bills on: `validate`, `send` or `hold`")
    .reaches(&[BOOKS]),
    post("/billing/bills/{id}/{step}", "billing", "Moves one bill on: `validate`, `send` or `hold`")
    .reaches(&[BILL]),
    // Events.
    get("/events", "events", "Lists events by their number, the oldest first")
        .query(&[parameter("after", Kind::Number, "continues after this number"), LIMIT])
        .answers(200, Content::Array)
    .reaches(&[Reaches::Everything]),
    get("/subscriptions", "subscriptions", "Lists subscriptions, and how far each is")
        .answers(200, Content::Array)
    .reaches(&[Reaches::Everything]),
    get("/subscriptions/{id}", "subscriptions", "Shows a subscription")
    .reaches(&[Reaches::Everything]),
    post("/subscriptions/{id}/pause", "subscriptions", "Sends nothing until it is resumed")
    .reaches(&[Reaches::Everything]),
    post("/subscriptions/{id}/resume", "subscriptions", "Sends again, from where it stopped")
    .reaches(&[Reaches::Everything]),
    post("/subscriptions/{id}/replay", "subscriptions", "Sends events again").query(&[
        parameter("from", Kind::Number, "from this number; this or `after`"),
        parameter("after", Kind::Number, "after this number"),
    ])
    .reaches(&[Reaches::Everything]),
    get("/subscriptions/{id}/dead-letters", "subscriptions", "Lists events that it did not take")
        .query(&[parameter("after", Kind::Number, "continues after this number"), LIMIT])
        .answers(200, Content::Array)
    .reaches(&[Reaches::Everything]),
    post("/subscriptions/{id}/dead-letters/retry", "subscriptions", "Sends all of them again")
    .reaches(&[Reaches::Everything]),
    post("/subscriptions/{id}/dead-letters/{sequence}/retry", "subscriptions", "Sends one again")
    .reaches(&[Reaches::Everything]),
    delete("/subscriptions/{id}/dead-letters/{sequence}", "subscriptions", "Forgets one")
    .reaches(&[Reaches::Everything]),
    // The audit.
    get("/audit", "audit", "Lists entries of the audit, the oldest first").query(&[
        parameter("actor", Kind::Text, "only those of this actor"),
        parameter("action", Kind::Text, "only those of this action, such as `PATCH product`"),
        parameter("subject", Kind::Text, "only those about this: a resource, or a resource and an id with `/`"),
        parameter("outcome", Kind::Choice(&["done", "begun", "refused", "failed"]), "only those with this outcome"),
        parameter("since", Kind::Time, "only those from this time on"),
        parameter("until", Kind::Time, "only those before this time"),
        parameter("after", Kind::Number, "continues after this number"),
        LIMIT,
    ])
    .answers(200, Content::Array),
    get("/audit/head", "audit head", "Shows the last entry of the audit, and that before its first, by their hashes"),
    get("/audit/{sequence}", "audit", "Shows an entry of the audit"),
    // The store.
    post(
        "/backups",
        "backups",
        "Writes the whole store of all tenants as it is after one commit, for `ferrule store restore`; one at a time. \
         Only the default tenant has it",
    )
    .answers(200, Content::File)
    .reaches(&[Reaches::Everything]),
    // The network.
    get("/reconciliations", "reconciliations", "Lists reconciliations with the network, without findings")
        .query(&[OFFSET, LIMIT])
        .answers(200, Content::Array)
    .reaches(&[NETWORK]),
    post("/reconciliations", "reconciliations", "Compares inventory and network; `{}` for all services")
        .sends(object(&[
                may("service", Kind::Reference, "one service"),
                may("resource", Kind::Reference, "one resource"),
                may("serviceSpecification", Kind::Reference, "services with this specification"),
                may("resourceSpecification", Kind::Reference, "resources with this specification"),
                may("query", Kind::Text, "a filter, such as `state=active`"),
            ]))
        .answers(202, Content::Object)
    .reaches(&[NETWORK]),
    get("/reconciliations/{id}", "reconciliations", "Shows a reconciliation with its findings")
    .reaches(&[NETWORK]),
    delete("/reconciliations/{id}", "reconciliations", "Forgets a reconciliation; one that runs ends")
    .reaches(&[NETWORK]),
    post("/reconciliations/{id}/findings/{number}/repair", "reconciliations", "Does again what is missing")
        .answers(202, Content::Object)
    .reaches(&[NETWORK]),
    // People.
    get("/sessions", "sessions", "Lists the sessions of people who are logged in, the latest first")
        .query(&[parameter("subject", Kind::Text, "only those of one person"), OFFSET, LIMIT])
        .answers(200, Content::Array),
    delete("/sessions/{id}", "sessions", "Ends a session"),
];
