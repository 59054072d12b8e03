use super::super::script::play;

#[test]
fn json_rpc_is_spoken_with_its_own_errors() {
    insta::assert_snapshot!(play(r#"
        POST /hss/rpc k1 {"jsonrpc":"2.0","id":1,"method":"createSubscriber","params":{"id":"4670","apn":"internet"}}
        POST /hss/rpc k1 {"jsonrpc":"2.0","id":2,"method":"createSubscriber","params":{"id":"4670","apn":"internet"}}
        POST /hss/rpc k2 {"jsonrpc":"2.0","id":3,"method":"createSubscriber","params":{"id":"4670"}}
        POST /hss/rpc k2 {"jsonrpc":"2.0","id":"a","method":"updateSubscriber","params":{"id":"4670","imsi":"240010000000001"}}
        POST /hss/rpc - {"jsonrpc":"2.0","id":4,"method":"getSubscriber","params":{"id":"4670"}}
        POST /hss/rpc k3 {"jsonrpc":"2.0","id":5,"method":"deleteSubscriber","params":{"id":"4670"}}
        POST /hss/rpc k4 {"jsonrpc":"2.0","id":6,"method":"deleteSubscriber","params":{"id":"4670"}}
        POST /hss/rpc k4 {"jsonrpc":"2.0","id":7,"method":"updateSubscriber","params":{"id":"4670"}}
        POST /hss/rpc - {"jsonrpc":"2.0","id":8,"method":"getSubscriber","params":{"id":"4670"}}
        effects
    "#), @r#"
    POST /hss/rpc k1 {"jsonrpc":"2.0","id":1,"method":"createSubscriber","params":{"id":"4670","apn":"internet"}}
      200 {"jsonrpc":"2.0","id":1,"result":{"id":"4670","idempotencyKey":"k1","imsi":"001013394965238","state":"active"}}
    POST /hss/rpc k1 {"jsonrpc":"2.0","id":2,"method":"createSubscriber","params":{"id":"4670","apn":"internet"}}
      200 {"jsonrpc":"2.0","id":2,"result":{"id":"4670","idempotencyKey":"k1","imsi":"001013394965238","state":"active"}}
    POST /hss/rpc k2 {"jsonrpc":"2.0","id":3,"method":"createSubscriber","params":{"id":"4670"}}
      200 {"error":{"code":-32009,"message":"`4670` in `Subscriber` is in use by key `k1`"},"id":3,"jsonrpc":"2.0"}
    POST /hss/rpc k2 {"jsonrpc":"2.0","id":"a","method":"updateSubscriber","params":{"id":"4670","imsi":"240010000000001"}}
      200 {"jsonrpc":"2.0","id":"a","result":{"id":"4670","idempotencyKey":"k2","imsi":"240010000000001","state":"active"}}
    POST /hss/rpc - {"jsonrpc":"2.0","id":4,"method":"getSubscriber","params":{"id":"4670"}}
      200 {"jsonrpc":"2.0","id":4,"result":{"config":{"id":"4670","imsi":"240010000000001"},"id":"4670","idempotencyKey":"k2","imsi":"240010000000001","state":"active"}}
    POST /hss/rpc k3 {"jsonrpc":"2.0","id":5,"method":"deleteSubscriber","params":{"id":"4670"}}
      200 {"jsonrpc":"2.0","id":5,"result":{"id":"4670","idempotencyKey":"k3","state":"deleted"}}
    POST /hss/rpc k4 {"jsonrpc":"2.0","id":6,"method":"deleteSubscriber","params":{"id":"4670"}}
      200 {"error":{"code":-32004,"message":"there is no `4670` in `Subscriber`"},"id":6,"jsonrpc":"2.0"}
    POST /hss/rpc k4 {"jsonrpc":"2.0","id":7,"method":"updateSubscriber","params":{"id":"4670"}}
      200 {"error":{"code":-32004,"message":"there is no `4670` in `Subscriber`"},"id":7,"jsonrpc":"2.0"}
    POST /hss/rpc - {"jsonrpc":"2.0","id":8,"method":"getSubscriber","params":{"id":"4670"}}
      200 {"error":{"code":-32004,"message":"there is no `4670` in `Subscriber`"},"id":8,"jsonrpc":"2.0"}
    effects
      {"applied":1,"called":2,"element":"hss","key":"k1","operation":"createSubscriber"}
      {"applied":0,"called":1,"element":"hss","key":"k2","operation":"createSubscriber"}
      {"applied":1,"called":1,"element":"hss","key":"k3","operation":"deleteSubscriber"}
      {"applied":0,"called":1,"element":"hss","key":"k4","operation":"deleteSubscriber"}
      {"applied":1,"called":1,"element":"hss","key":"k2","operation":"updateSubscriber"}
      {"applied":0,"called":1,"element":"hss","key":"k4","operation":"updateSubscriber"}
    "#);
}

#[test]
fn a_malformed_call_is_told_what_is_wrong() {
    insta::assert_snapshot!(play(r#"
        PUT /olt-9/restconf/data/ports=1 k1 {}
        PUT /olt-1/api/ports/1 k1 {}
        PATCH /olt-1/restconf/data/ports=1 k1 {}
        PUT /olt-1/restconf/data/ports= k1 {}
        PUT /olt-1/restconf/data/ports=%zz k1 {}
        PUT /olt-1/restconf/data/ports=1 - {}
        PUT /olt-1/restconf/data/ports=1 k1
        PUT /olt-1/restconf/data/ports=1 k1 [1]
        POST /ipam/api/leases k1 {"ip"
        POST /ipam/api/leases k1 {"ip":"10.0.0.1"}
        POST /ipam/api/leases/1 k1 {}
        GET /hss/rpc
        POST /hss/rpc k1 nonsense
        POST /hss/rpc k1 {"jsonrpc":"2.0","method":"createSubscriber","params":{"id":"1"}}
        POST /hss/rpc k1 {"jsonrpc":"2.0","id":1,"method":"createSubscriber","params":{}}
        POST /hss/rpc k1 {"jsonrpc":"2.0","id":1,"method":"frobSubscriber","params":{"id":"1"}}
        POST /hss/rpc - {"jsonrpc":"2.0","id":1,"method":"createSubscriber","params":{"id":"1"}}
        effects
    "#), @r#"
    PUT /olt-9/restconf/data/ports=1 k1 {}
      404 {"error":{"code":"unknown-element","message":"there is no element `olt-9`; known are acs, bng-1, cloud-wifi, cmts-1, hlr, hss, ims, ipam, iptv, mnp, numbers, olt-1, ota, pcrf, voicemail, warehouse"}}
    PUT /olt-1/api/ports/1 k1 {}
      404 {"error":{"code":"unknown-path","message":"`olt-1` has no `api/ports/1`: it speaks restconf, call PUT|POST|GET|DELETE /{element}/restconf/data/{collection}={id}"}}
    PATCH /olt-1/restconf/data/ports=1 k1 {}
      405 {"error":{"code":"method-not-allowed","message":"`PATCH` is not allowed here: call PUT|POST|GET|DELETE /{element}/restconf/data/{collection}={id}"}}
    PUT /olt-1/restconf/data/ports= k1 {}
      400 {"error":{"code":"malformed","message":"the id is missing"}}
    PUT /olt-1/restconf/data/ports=%zz k1 {}
      400 {"error":{"code":"malformed","message":"`%zz` is not url-encoded UTF-8"}}
    PUT /olt-1/restconf/data/ports=1 - {}
      400 {"error":{"code":"malformed","message":"a write needs the header `Idempotency-Key`"}}
    PUT /olt-1/restconf/data/ports=1 k1
      400 {"error":{"code":"malformed","message":"the body is empty"}}
    PUT /olt-1/restconf/data/ports=1 k1 [1]
      400 {"error":{"code":"malformed","message":"the body is not a JSON object"}}
    POST /ipam/api/leases k1 {"ip"
      400 {"error":{"code":"malformed","message":"the body is not JSON: EOF while parsing an object at line 1 column 5"}}
    POST /ipam/api/leases k1 {"ip":"10.0.0.1"}
      400 {"error":{"code":"malformed","message":"the body has no `id`"}}
    POST /ipam/api/leases/1 k1 {}
      405 {"error":{"code":"method-not-allowed","message":"`POST` is not allowed here: call POST /{element}/api/{collection} or PUT|GET|DELETE /{element}/api/{collection}/{id}"}}
    GET /hss/rpc
      405 {"error":{"code":-32600,"message":"`GET` is not allowed here: call POST /{element}/rpc"},"id":null,"jsonrpc":"2.0"}
    POST /hss/rpc k1 nonsense
      400 {"error":{"code":-32700,"message":"the body is not JSON: expected ident at line 1 column 2"},"id":null,"jsonrpc":"2.0"}
    POST /hss/rpc k1 {"jsonrpc":"2.0","method":"createSubscriber","params":{"id":"1"}}
      400 {"error":{"code":-32602,"message":"the call has no `id` that is a string or a number"},"id":null,"jsonrpc":"2.0"}
    POST /hss/rpc k1 {"jsonrpc":"2.0","id":1,"method":"createSubscriber","params":{}}
      400 {"error":{"code":-32602,"message":"`params` has no `id`"},"id":1,"jsonrpc":"2.0"}
    POST /hss/rpc k1 {"jsonrpc":"2.0","id":1,"method":"frobSubscriber","params":{"id":"1"}}
      400 {"error":{"code":-32601,"message":"the method `frobSubscriber` is not create…, update…, delete… or get… and a thing"},"id":1,"jsonrpc":"2.0"}
    POST /hss/rpc - {"jsonrpc":"2.0","id":1,"method":"createSubscriber","params":{"id":"1"}}
      400 {"error":{"code":-32602,"message":"a write needs the header `Idempotency-Key`"},"id":1,"jsonrpc":"2.0"}
    effects
      none
    "#);
}
