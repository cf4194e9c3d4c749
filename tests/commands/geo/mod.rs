//! The geo family. Where nothing else is said, the replies are those of Redis 8.

use crate::harness::Server;
use oxidis::resp::reply::Protocol;

const SICILY: &str = "GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania";
const MORE: &str = "GEOADD g 12.758489 38.788135 edge1 17.241510 38.788135 edge2 14 38 mid";

/// Servers with five places in `g`, one for each encoding.
fn servers() -> [Server; 2] {
    let mut servers = [
        Server::new(),
        Server::with_config("zset-max-listpack-entries 0"),
    ];
    for server in &mut servers {
        server.run(SICILY);
        server.run(MORE);
    }
    servers
}

#[track_caller]
fn on_each(script: &str) {
    for mut server in servers() {
        server.check(script);
    }
}

#[test]
fn places_are_members_whose_scores_are_geohashes() {
    on_each(
        "GEOADD g NX 0 0 Palermo -> (0)
         GEOADD g CH 1 1 mid 2 2 new -> (2)
         GEOADD g XX CH 1 1 mid 3 3 other -> (0)
         GEOADD g NX XX 1 1 a -> !ERR syntax error
         GEOADD g 1 2 -> !ERR wrong number of arguments for 'geoadd' command
         GEOADD g 1 2 a 3 -> !ERR syntax error
         GEOADD g 181 1 a -> !ERR invalid longitude,latitude pair 181.000000,1.000000
         GEOADD g 1 86 a -> !ERR invalid longitude,latitude pair 1.000000,86.000000
         GEOADD g 1 1 a x 2 b -> !ERR value is not a valid float
         ZSCORE g a -> nil
         ZSCORE g Palermo -> 3479099956230698
         TYPE g -> zset",
    );
}

#[test]
fn distances_are_told_in_four_units_with_four_decimals() {
    on_each(
        "GEODIST g Palermo Catania -> 166274.1516
         GEODIST g Palermo Catania KM -> 166.2742
         GEODIST g Palermo Catania mi -> 103.3182
         GEODIST g Palermo Catania ft -> 545518.8700
         GEODIST g Palermo Palermo -> 0.0000
         GEODIST g Palermo nowhere -> nil
         GEODIST nothing a b -> nil
         GEODIST g Palermo Catania foo -> !ERR unsupported unit provided. please use M, KM, FT, MI
         GEODIST g Palermo Catania m m -> !ERR syntax error",
    );
}

#[test]
fn positions_and_texts() {
    on_each(
        "GEOPOS g Palermo nowhere -> [[13.361389338970184 38.1155563954963] nil[]]
         GEOPOS nothing a -> [nil[]]
         GEOPOS g -> []
         GEOHASH g Palermo nowhere Catania -> [sqc8b49rny0 nil sqdtr74hyu0]
         GEOHASH nothing a -> [nil]",
    );
    for mut server in servers() {
        let slot = server.client;
        let clients = &mut server.engine.server.clients;
        let session = clients.get_mut(slot).expect("the client is connected");
        session.protocol = Protocol::Resp3;
        server.check(
            "GEOPOS g Palermo nowhere -> [[,13.361389338970184 ,38.1155563954963] nil]
             GEODIST g Palermo Catania -> 166274.1516
             GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 100 km WITHCOORD WITHDIST WITHHASH -> [[Catania 56.4413 (3479447370796909) [,15.087267458438873 ,37.50266842333162]]]",
        );
    }
}

#[test]
fn circles_boxes_and_polygons_are_searched() {
    on_each(
        "GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC -> [Catania mid Palermo]
         GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km DESC WITHDIST -> [[Palermo 190.4424] [mid 141.9763] [Catania 56.4413]]
         GEOSEARCH g FROMLONLAT 15 37 BYBOX 400 400 km ASC -> [Catania mid Palermo edge2 edge1]
         GEOSEARCH g FROMMEMBER mid BYRADIUS 60 km ASC WITHDIST -> [[mid 0.0000] [Palermo 57.3864]]
         GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 2 -> [Catania mid]
         GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1 DESC -> [Palermo]
         GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1 ANY -> [Palermo]
         GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 0 km -> []
         GEOSEARCH nothing FROMMEMBER x BYRADIUS 1 km -> []",
    );
    // As Valkey 9.1 answers.
    on_each(
        "GEOSEARCH g BYPOLYGON 3 13 37 16 37 15 39 ASC WITHDIST -> [[Catania 41878.3264] [mid 68699.2248]]
         GEOSEARCH g BYPOLYGON 4 13 37 16 37 16 39 13 39 COUNT 1 -> [mid]
         GEOSEARCH g BYPOLYGON 2 13 37 16 37 -> !ERR GEOSEARCH BYPOLYGON must have at least 3 vertices
         GEOSEARCH g BYPOLYGON 5 13 37 16 37 15 39 -> !ERR GEOSEARCH BYPOLYGON must have at least 3 vertices
         GEOSEARCH g BYPOLYGON x 13 37 16 37 15 39 -> !ERR invalid number of vertices
         GEOSEARCH g BYPOLYGON 3 13 37 16 37 15 99 -> !ERR invalid longitude,latitude pair 15.000000,99.000000
         GEOSEARCH g FROMLONLAT 15 37 BYPOLYGON 3 13 37 16 37 15 39 -> !ERR syntax error",
    );
}

#[test]
fn what_is_found_may_be_stored() {
    on_each(
        "GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km -> (3)
         ZRANGE d 0 -1 -> [Palermo mid Catania]
         GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST COUNT 2 -> (2)
         ZRANGE d 0 -1 -> [Catania mid]
         GEORADIUS g 15 37 200 km STORE d -> (3)
         GEORADIUSBYMEMBER g mid 60 km STOREDIST d -> (2)
         ZRANGE d 0 -1 -> [mid Palermo]
         ZSCORE d mid -> 0
         GEOSEARCHSTORE d nothing FROMLONLAT 15 37 BYRADIUS 200 km -> (0)
         EXISTS d -> (0)
         GEORADIUS nothing 15 37 200 km STORE d -> (0)
         GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 1 km WITHDIST -> !ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options
         GEORADIUS g 15 37 1 km STORE d WITHHASH -> !ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options
         GEORADIUS_RO g 15 37 1 km STORE d -> !ERR syntax error
         GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 1 km STOREDIST -> !ERR syntax error",
    );
}

#[test]
fn the_older_commands_answer_the_same() {
    on_each(
        "GEORADIUS g 15 37 200 km -> [Palermo mid Catania]
         GEORADIUS_RO g 15 37 200 km ASC COUNT 1 WITHHASH -> [[Catania (3479447370796909)]]
         GEORADIUSBYMEMBER g mid 60 km WITHDIST -> [[Palermo 57.3864] [mid 0.0000]]
         GEORADIUSBYMEMBER_RO g mid 60 km ASC -> [mid Palermo]
         GEORADIUSBYMEMBER nothing mid x y -> []
         GEORADIUSBYMEMBER g nowhere 1 km -> !ERR could not decode requested zset member",
    );
}

#[test]
fn words_that_do_not_fit_are_refused() {
    on_each(
        "GEORADIUS g 15 37 x km -> !ERR need numeric radius
         GEORADIUS g 15 37 -1 km -> !ERR radius cannot be negative
         GEORADIUS g 15 37 1 foo -> !ERR unsupported unit provided. please use M, KM, FT, MI
         GEORADIUS g 15 37 1 km COUNT 0 -> !ERR COUNT must be > 0
         GEORADIUS g 15 37 1 km ANY -> !ERR the ANY argument requires COUNT argument
         GEOSEARCH g FROMLONLAT 15 37 BYBOX x 1 km -> !ERR need numeric width
         GEOSEARCH g FROMLONLAT 15 37 BYBOX 1 x km -> !ERR need numeric height
         GEOSEARCH g FROMLONLAT 15 37 BYBOX 1 -1 km -> !ERR height or width cannot be negative
         GEOSEARCH g BYRADIUS 1 km ASC ASC -> !ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for geosearch
         GEOSEARCH g FROMLONLAT 15 37 ASC DESC -> !ERR exactly one of BYRADIUS and BYBOX can be specified for geosearch
         GEOSEARCH g FROMLONLAT 15 37 FROMMEMBER mid BYRADIUS 1 km -> !ERR syntax error
         GEOSEARCH g FROMLONLAT 15 37 BYBOX 1 1 km BYRADIUS 1 km -> !ERR syntax error
         SET s x -> OK
         GEOSEARCH s FOO -> !ERR wrong number of arguments for 'geosearch' command
         GEORADIUS s 15 37 x km -> !WRONGTYPE Operation against a key holding the wrong kind of value
         GEOADD s 1 1 a -> !WRONGTYPE Operation against a key holding the wrong kind of value",
    );
}
