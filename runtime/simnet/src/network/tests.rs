mod properties;

use super::super::script::{call, play};
use super::*;

#[test]
fn a_repeated_write_gets_its_first_answer_and_changes_nothing() {
    insta::assert_snapshot!(play(r#"
        PUT /olt-1/restconf/data/ports=1 k1 {"vlan":100}
        PUT /olt-1/restconf/data/ports=1 k1 {"vlan":100}
        PUT /olt-1/restconf/data/ports=1 k2! {"vlan":200}
        PUT /olt-1/restconf/data/ports=1 k1 {"vlan":100}
        GET /olt-1/restconf/data/ports=1
        DELETE /olt-1/restconf/data/ports=1 k3
        DELETE /olt-1/restconf/data/ports=1 k3
        DELETE /olt-1/restconf/data/ports=1 k4
        GET /olt-1/restconf/data/ports=1
        effects
    "#), @r#"
    PUT /olt-1/restconf/data/ports=1 k1 {"vlan":100}
      201 {"id":"1","idempotencyKey":"k1","onuId":"ONU-5766304247","state":"active"}
    PUT /olt-1/restconf/data/ports=1 k1 {"vlan":100}
      201 {"id":"1","idempotencyKey":"k1","onuId":"ONU-5766304247","state":"active"}
    PUT /olt-1/restconf/data/ports=1 k2! {"vlan":200}
      200 {"id":"1","idempotencyKey":"k2","onuId":"ONU-5766304247","state":"active"}
    PUT /olt-1/restconf/data/ports=1 k1 {"vlan":100}
      201 {"id":"1","idempotencyKey":"k1","onuId":"ONU-5766304247","state":"active"}
    GET /olt-1/restconf/data/ports=1
      200 {"config":{"vlan":200},"id":"1","idempotencyKey":"k2","onuId":"ONU-5766304247","state":"active"}
    DELETE /olt-1/restconf/data/ports=1 k3
      200 {"id":"1","idempotencyKey":"k3","state":"deleted"}
    DELETE /olt-1/restconf/data/ports=1 k3
      200 {"id":"1","idempotencyKey":"k3","state":"deleted"}
    DELETE /olt-1/restconf/data/ports=1 k4
      404 {"error":{"code":"not-found","message":"there is no `1` in `ports`"}}
    GET /olt-1/restconf/data/ports=1
      404 {"error":{"code":"not-found","message":"there is no `1` in `ports`"}}
    effects
      {"applied":1,"called":2,"element":"olt-1","key":"k3","operation":"delete ports"}
      {"applied":0,"called":1,"element":"olt-1","key":"k4","operation":"delete ports"}
      {"applied":1,"called":3,"element":"olt-1","key":"k1","operation":"put ports"}
      {"applied":1,"called":1,"element":"olt-1","key":"k2","operation":"put ports"}
    "#);
}

#[test]
fn an_id_that_another_key_holds_is_not_given_away() {
    insta::assert_snapshot!(play(r#"
        POST /warehouse/api/shipments k1 {"id":"s/1","sku":"ont"}
        POST /warehouse/api/shipments k2 {"id":"s/1","sku":"ont"}
        PUT /warehouse/api/shipments/s%2F1 k2 {"sku":"ont"}
        PUT /warehouse/api/shipments/s%2F1 k1 {"sku":"stb"}
        PUT /warehouse/api/shipments/s%2F1 k3! {"sku":"router"}
        POST /warehouse/api/shipments k1 {"id":"s2","sku":"ont"}
        state warehouse
        effects
    "#), @r#"
    POST /warehouse/api/shipments k1 {"id":"s/1","sku":"ont"}
      201 {"id":"s/1","idempotencyKey":"k1","state":"active","trackingNumber":"TRK3674335002"}
    POST /warehouse/api/shipments k2 {"id":"s/1","sku":"ont"}
      409 {"error":{"code":"in-use","message":"`s/1` in `shipments` is in use by key `k1`"}}
    PUT /warehouse/api/shipments/s%2F1 k2 {"sku":"ont"}
      409 {"error":{"code":"in-use","message":"`s/1` in `shipments` is in use by key `k1`"}}
    PUT /warehouse/api/shipments/s%2F1 k1 {"sku":"stb"}
      200 {"id":"s/1","idempotencyKey":"k1","state":"active","trackingNumber":"TRK3674335002"}
    PUT /warehouse/api/shipments/s%2F1 k3! {"sku":"router"}
      200 {"id":"s/1","idempotencyKey":"k3","state":"active","trackingNumber":"TRK3674335002"}
    POST /warehouse/api/shipments k1 {"id":"s2","sku":"ont"}
      422 {"error":{"code":"key-reused","message":"the idempotency key `k1` was used for `s/1` already"}}
    state warehouse
      {"collection":"shipments","config":{"sku":"router"},"id":"s/1","idempotencyKey":"k3","state":"active","trackingNumber":"TRK3674335002"}
    effects
      {"applied":1,"called":2,"element":"warehouse","key":"k1","operation":"post shipments"}
      {"applied":0,"called":1,"element":"warehouse","key":"k2","operation":"post shipments"}
      {"applied":1,"called":1,"element":"warehouse","key":"k1","operation":"put shipments"}
      {"applied":0,"called":1,"element":"warehouse","key":"k2","operation":"put shipments"}
      {"applied":1,"called":1,"element":"warehouse","key":"k3","operation":"put shipments"}
    "#);
}

#[test]
fn an_accepted_write_is_pending_until_it_is_reported() {
    insta::assert_snapshot!(play(r#"
        faults [{"fault":"async","delayMs":300,"duplicate":true}]
        PUT /olt-1/restconf/data/ports=1 k1+http://127.0.0.1:1/a {"vlan":1}
        GET /olt-1/restconf/data/ports=1
        PUT /olt-1/restconf/data/ports=1 k1+http://127.0.0.1:1/b {"vlan":1}
        PUT /olt-1/restconf/data/ports=1 k2! {"vlan":2}
        wake 0
        GET /olt-1/restconf/data/ports=1
        PUT /olt-1/restconf/data/ports=1 k1 {"vlan":1}
        POST /hss/rpc k1 {"jsonrpc":"2.0","id":1,"method":"createSubscriber","params":{"id":"1"}}
        POST /hss/rpc k2 {"jsonrpc":"2.0","id":2,"method":"deleteSubscriber","params":{"id":"1"}}
        wake 1
        wake 1
        PUT /olt-1/restconf/data/ports=2 k3+http://example.com/ {"vlan":1}
        fired
        effects
    "#), @r#"
    faults [{"fault":"async","delayMs":300,"duplicate":true}]
      armed
    PUT /olt-1/restconf/data/ports=1 k1+http://127.0.0.1:1/a {"vlan":1}
      202 {"idempotencyKey":"k1","state":"pending"} Ticket(0) in 300 ms
    GET /olt-1/restconf/data/ports=1
      200 {"config":{"vlan":1},"id":"1","idempotencyKey":"k1","state":"pending"}
    PUT /olt-1/restconf/data/ports=1 k1+http://127.0.0.1:1/b {"vlan":1}
      202 {"idempotencyKey":"k1","state":"pending"}
    PUT /olt-1/restconf/data/ports=1 k2! {"vlan":2}
      409 {"error":{"code":"in-use","message":"`1` in `ports` is in use by key `k1`"}}
    wake 0
      Callback(Callback { url: "http://127.0.0.1:1/b", body: "{\"key\":\"k1\",\"result\":{\"id\":\"1\",\"idempotencyKey\":\"k1\",\"onuId\":\"ONU-5766304247\",\"state\":\"active\"},\"status\":\"done\"}", deliveries: 2 })
    GET /olt-1/restconf/data/ports=1
      200 {"config":{"vlan":1},"id":"1","idempotencyKey":"k1","onuId":"ONU-5766304247","state":"active"}
    PUT /olt-1/restconf/data/ports=1 k1 {"vlan":1}
      201 {"id":"1","idempotencyKey":"k1","onuId":"ONU-5766304247","state":"active"}
    POST /hss/rpc k1 {"jsonrpc":"2.0","id":1,"method":"createSubscriber","params":{"id":"1"}}
      200 {"jsonrpc":"2.0","id":1,"result":{"accepted":true}} Ticket(1) in 300 ms
    POST /hss/rpc k2 {"jsonrpc":"2.0","id":2,"method":"deleteSubscriber","params":{"id":"1"}}
      200 {"error":{"code":-32009,"message":"`1` in `Subscriber` is in use by key `k1`"},"id":2,"jsonrpc":"2.0"}
    wake 1
      Quiet
    wake 1
      Gone
    PUT /olt-1/restconf/data/ports=2 k3+http://example.com/ {"vlan":1}
      400 {"error":{"code":"malformed","message":"`X-Callback-Url` is not http on a loopback address: `http://example.com/`"}}
    fired
      {"delayMs":300,"duplicate":true,"element":"*","every":1,"fault":"async","fired":3,"operation":"*","outcome":"done"}
    effects
      {"applied":1,"called":1,"element":"hss","key":"k1","operation":"createSubscriber"}
      {"applied":0,"called":1,"element":"hss","key":"k2","operation":"deleteSubscriber"}
      {"applied":1,"called":3,"element":"olt-1","key":"k1","operation":"put ports"}
      {"applied":0,"called":1,"element":"olt-1","key":"k2","operation":"put ports"}
      {"applied":0,"called":1,"element":"olt-1","key":"k3","operation":"put ports"}
    "#);
}

#[test]
fn an_accepted_write_that_fails_leaves_nothing_and_may_be_tried_again() {
    insta::assert_snapshot!(play(r#"
        faults [{"fault":"async","outcome":"failed","message":"no port","times":1}]
        POST /mnp/api/ports k1+http://localhost:1/ {"id":"4670"}
        wake 0
        GET /mnp/api/ports/4670
        POST /mnp/api/ports k1 {"id":"4670"}
        effects
    "#), @r#"
    faults [{"fault":"async","outcome":"failed","message":"no port","times":1}]
      armed
    POST /mnp/api/ports k1+http://localhost:1/ {"id":"4670"}
      202 {"idempotencyKey":"k1","state":"pending"} Ticket(0) in 300 ms
    wake 0
      Callback(Callback { url: "http://localhost:1/", body: "{\"error\":{\"code\":\"failed\",\"message\":\"no port\"},\"key\":\"k1\",\"status\":\"failed\"}", deliveries: 1 })
    GET /mnp/api/ports/4670
      404 {"error":{"code":"not-found","message":"there is no `4670` in `ports`"}}
    POST /mnp/api/ports k1 {"id":"4670"}
      201 {"id":"4670","idempotencyKey":"k1","portRequestId":"PORT-0058479835","state":"active"}
    effects
      {"applied":1,"called":2,"element":"mnp","key":"k1","operation":"post ports"}
    "#);
}

#[test]
fn calls_that_wait_are_dropped_when_the_network_is_cleared() {
    insta::assert_snapshot!(play(r#"
        faults [{"fault":"async","times":1},{"fault":"slow","times":1}]
        POST /mnp/api/ports k1+http://[::1]:1/ {"id":"1"}
        POST /mnp/api/ports k2 {"id":"2"}
        state mnp
        clear
        wake 0
        wake 1
        effects
        state mnp
        faults [{"fault":"slow"}]
        POST /mnp/api/ports k1 {"id":"1"}
        wake 0
        wake 2
        effects
    "#), @r#"
    faults [{"fault":"async","times":1},{"fault":"slow","times":1}]
      armed
    POST /mnp/api/ports k1+http://[::1]:1/ {"id":"1"}
      202 {"idempotencyKey":"k1","state":"pending"} Ticket(0) in 300 ms
    POST /mnp/api/ports k2 {"id":"2"}
      Later { ticket: Ticket(1), delay_ms: 300 }
    state mnp
      {"collection":"ports","config":{"id":"1"},"id":"1","idempotencyKey":"k1","state":"pending"}
    clear
      cleared
    wake 0
      Gone
    wake 1
      Gone
    effects
      none
    state mnp
      none
    faults [{"fault":"slow"}]
      armed
    POST /mnp/api/ports k1 {"id":"1"}
      Later { ticket: Ticket(2), delay_ms: 300 }
    wake 0
      Gone
    wake 2
      Reply(Ok(Success { status: 201, body: "{\"id\":\"1\",\"idempotencyKey\":\"k1\",\"portRequestId\":\"PORT-5695842849\",\"state\":\"active\"}" }))
    effects
      {"applied":1,"called":1,"element":"mnp","key":"k1","operation":"post ports"}
    "#);
}

#[test]
fn a_full_network_refuses_and_forgets_nothing() {
    let mut network = Network::default();
    let path = "/olt-1/restconf/data/ports=1";
    call(&mut network, "PUT", &format!("{path} k1 {{}}"));
    network.bytes = BYTES_MAX;
    let refused = call(&mut network, "PUT", &format!("{path} k2! {{}}"));
    assert!(refused.starts_with("507 "), "{refused}");
    let found = call(&mut network, "GET", path);
    assert!(found.contains(r#""idempotencyKey":"k1""#), "{found}");
}
