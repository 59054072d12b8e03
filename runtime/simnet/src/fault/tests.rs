use super::super::script::play;

#[test]
fn faults_fire_as_often_as_they_should_and_are_counted() {
    insta::assert_snapshot!(play(r#"
        faults [{"element":"olt-1","operation":"put ports","fault":"error","status":500,"times":1},{"element":"olt-1","fault":"lost","every":2},{"element":"ims","fault":"error","rpcCode":-32050},{"element":"bng-1","fault":"timeout"}]
        PUT /olt-1/restconf/data/ports=1 k1 {}
        PUT /olt-1/restconf/data/ports=1 k1 {}
        PUT /olt-1/restconf/data/ports=2 k2 {}
        PUT /olt-1/restconf/data/ports=2 k2 {}
        GET /olt-1/restconf/data/ports=2
        POST /ims/rpc k3 {"jsonrpc":"2.0","id":1,"method":"createUser","params":{"id":"u"}}
        PUT /bng-1/restconf/data/sessions=1 k4 {}
        fired
        effects
        state bng-1
    "#), @r#"
    faults [{"element":"olt-1","operation":"put ports","fault":"error","status":500,"times":1},{"element":"olt-1","fault":"lost","every":2},{"element":"ims","fault":"error","rpcCode":-32050},{"element":"bng-1","fault":"timeout"}]
      armed
    PUT /olt-1/restconf/data/ports=1 k1 {}
      500 {"error":{"code":"fault","message":"the element is out of order"}}
    PUT /olt-1/restconf/data/ports=1 k1 {}
      201 {"id":"1","idempotencyKey":"k1","onuId":"ONU-5766304247","state":"active"}
    PUT /olt-1/restconf/data/ports=2 k2 {}
      Lost
    PUT /olt-1/restconf/data/ports=2 k2 {}
      201 {"id":"2","idempotencyKey":"k2","onuId":"ONU-5277932458","state":"active"}
    GET /olt-1/restconf/data/ports=2
      Lost
    POST /ims/rpc k3 {"jsonrpc":"2.0","id":1,"method":"createUser","params":{"id":"u"}}
      200 {"error":{"code":-32050,"message":"the element is out of order"},"id":1,"jsonrpc":"2.0"}
    PUT /bng-1/restconf/data/sessions=1 k4 {}
      Silence
    fired
      {"element":"olt-1","every":1,"fault":"error","fired":1,"message":"the element is out of order","operation":"put ports","rpcCode":-32001,"status":500,"times":1}
      {"element":"olt-1","every":2,"fault":"lost","fired":2,"operation":"*"}
      {"element":"ims","every":1,"fault":"error","fired":1,"message":"the element is out of order","operation":"*","rpcCode":-32050,"status":503}
      {"element":"bng-1","every":1,"fault":"timeout","fired":1,"operation":"*"}
    effects
      {"applied":0,"called":1,"element":"bng-1","key":"k4","operation":"put sessions"}
      {"applied":0,"called":1,"element":"ims","key":"k3","operation":"createUser"}
      {"applied":1,"called":2,"element":"olt-1","key":"k1","operation":"put ports"}
      {"applied":1,"called":2,"element":"olt-1","key":"k2","operation":"put ports"}
    state bng-1
      none
    "#);
}

#[test]
fn a_fault_that_is_not_understood_names_the_field() {
    insta::assert_snapshot!(play(r#"
        faults {"fault":"lost"}
        faults [{"fault":"lost"},{"fault":"explode"}]
        faults [{"element":"olt-7","fault":"lost"}]
        faults [{"fault":"lost","delayMs":5}]
        faults [{"fault":"error","colour":"red"}]
        faults [{"fault":"error","status":200}]
        faults [{"fault":"slow","delayMs":"5"}]
        faults [{"fault":"lost","times":0}]
        faults [{"fault":"async","outcome":"maybe"}]
        faults [{"fault":"async","message":"no port"}]
        faults [{"element":"olt-1"}]
    "#), @r#"
    faults {"fault":"lost"}
      the faults are not an array
    faults [{"fault":"lost"},{"fault":"explode"}]
      `[1].fault` is none of error, timeout, slow, lost, async
    faults [{"element":"olt-7","fault":"lost"}]
      `[0].element` is wrong: there is no element `olt-7`; known are acs, bng-1, cloud-wifi, cmts-1, hlr, hss, ims, ipam, iptv, mnp, numbers, olt-1, ota, pcrf, voicemail, warehouse
    faults [{"fault":"lost","delayMs":5}]
      `[0].delayMs` is not a field of fault `lost`
    faults [{"fault":"error","colour":"red"}]
      `[0].colour` is not a field of fault `error`
    faults [{"fault":"error","status":200}]
      `[0].status` is not a number from 400 to 599
    faults [{"fault":"slow","delayMs":"5"}]
      `[0].delayMs` is not a number from 0 to 600000
    faults [{"fault":"lost","times":0}]
      `[0].times` is not a number from 1 to 18446744073709551615
    faults [{"fault":"async","outcome":"maybe"}]
      `[0].outcome` is not done or failed
    faults [{"fault":"async","message":"no port"}]
      `[0].message` is not a field of fault `async`
    faults [{"element":"olt-1"}]
      `[0].fault` is missing
    "#);
}

#[test]
fn a_slow_write_is_applied_when_its_delay_is_over() {
    insta::assert_snapshot!(play(r#"
        faults [{"fault":"slow","delayMs":500,"times":1}]
        PUT /olt-1/restconf/data/ports=1 k1 {}
        GET /olt-1/restconf/data/ports=1
        PUT /olt-1/restconf/data/ports=1 k1 {}
        wake 0
        wake 0
        effects
    "#), @r#"
    faults [{"fault":"slow","delayMs":500,"times":1}]
      armed
    PUT /olt-1/restconf/data/ports=1 k1 {}
      Later { ticket: Ticket(0), delay_ms: 500 }
    GET /olt-1/restconf/data/ports=1
      404 {"error":{"code":"not-found","message":"there is no `1` in `ports`"}}
    PUT /olt-1/restconf/data/ports=1 k1 {}
      201 {"id":"1","idempotencyKey":"k1","onuId":"ONU-5766304247","state":"active"}
    wake 0
      Reply(Ok(Success { status: 201, body: "{\"id\":\"1\",\"idempotencyKey\":\"k1\",\"onuId\":\"ONU-5766304247\",\"state\":\"active\"}" }))
    wake 0
      Gone
    effects
      {"applied":1,"called":2,"element":"olt-1","key":"k1","operation":"put ports"}
    "#);
}
