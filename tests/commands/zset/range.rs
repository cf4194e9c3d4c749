//! ZRANGE and its relatives, ZRANGESTORE, ZREMRANGEBY*.

use super::{on_each, on_each_resp3};

#[test]
fn ranges_of_ranks_count_from_either_end() {
    on_each(
        "1 a 2 b 3 c 4 d",
        "ZRANGE z 0 -1 -> [a b c d]
         ZRANGE z 1 2 WITHSCORES -> [b 2 c 3]
         ZRANGE z -2 100 -> [c d]
         ZRANGE z -100 0 -> [a]
         ZRANGE z 2 1 -> []
         ZRANGE z 4 5 -> []
         ZRANGE z 0 1 REV WITHSCORES -> [d 4 c 3]
         ZREVRANGE z 1 2 -> [c b]
         ZREVRANGE z -1 -1 WITHSCORES -> [a 1]
         ZRANGE nothing 0 -1 -> []
         ZRANGE z 0 x -> !ERR value is not an integer or out of range",
    );
    on_each_resp3(
        "1 a 2.5 b",
        "ZRANGE z 0 -1 -> [a b]
         ZRANGE z 0 -1 WITHSCORES -> [[a ,1] [b ,2.5]]
         ZRANGEBYSCORE z 2 3 WITHSCORES -> [[b ,2.5]]",
    );
}

#[test]
fn ranges_of_scores_may_be_open_reversed_and_limited() {
    on_each(
        "1 a 2 b 3 c 4 d 5 e",
        "ZRANGE z (1 3 BYSCORE -> [b c]
         ZRANGEBYSCORE z 2 (4 WITHSCORES -> [b 2 c 3]
         ZRANGEBYSCORE z -inf +inf LIMIT 1 2 -> [b c]
         ZRANGEBYSCORE z -inf +inf LIMIT 3 -1 -> [d e]
         ZRANGEBYSCORE z -inf +inf LIMIT 9 1 -> []
         ZRANGEBYSCORE z -inf +inf LIMIT 0 0 -> []
         ZREVRANGEBYSCORE z 4 (1 LIMIT 1 5 -> [c b]
         ZRANGE z +inf 2 BYSCORE REV LIMIT 0 2 WITHSCORES -> [e 5 d 4]
         ZRANGEBYSCORE z 4 2 -> []
         ZRANGEBYSCORE z 1 x -> !ERR min or max is not a float
         ZRANGEBYSCORE z 1 2 LIMIT 1 -> !ERR syntax error
         ZRANGEBYSCORE z 1 2 LIMIT a 1 -> !ERR value is not an integer or out of range",
    );
}

#[test]
fn ranges_of_names_are_for_members_of_one_score() {
    on_each(
        "0 alpha 0 bar 0 cool 0 down 0 great",
        "ZRANGEBYLEX z - [cool -> [alpha bar cool]
         ZRANGEBYLEX z [bar (down -> [bar cool]
         ZRANGE z (bar + BYLEX LIMIT 1 1 -> [down]
         ZREVRANGEBYLEX z + [cool -> [great down cool]
         ZRANGE z [cool - BYLEX REV -> [cool bar alpha]
         ZRANGEBYLEX z + - -> []
         ZRANGEBYLEX z - + WITHSCORES -> !ERR syntax error, WITHSCORES not supported in combination with BYLEX
         ZRANGEBYLEX z bar + -> !ERR min or max not valid string range item",
    );
}

#[test]
fn options_that_do_not_fit_are_refused() {
    on_each(
        "1 a",
        "ZRANGE z 0 -1 LIMIT 0 1 -> !ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX
         ZRANGE z 0 -1 LIMIT 0 -1 -> [a]
         ZRANGE z 0 -1 BYSCORE BYLEX -> !ERR syntax error
         ZRANGE z 0 -1 FOO -> !ERR syntax error
         ZREVRANGE z 0 -1 REV -> !ERR syntax error
         ZRANGEBYSCORE z 0 1 BYLEX -> !ERR syntax error
         ZRANGESTORE d z 0 -1 WITHSCORES -> !ERR syntax error",
    );
}

#[test]
fn zrangestore_replaces_what_was_there() {
    on_each(
        "1 a 2 b 3 c",
        "SET d x -> OK
         ZRANGESTORE d z 0 1 -> (2)
         ZRANGE d 0 -1 WITHSCORES -> [a 1 b 2]
         ZRANGESTORE d z +inf -inf BYSCORE REV LIMIT 0 1 -> (1)
         ZRANGE d 0 -1 WITHSCORES -> [c 3]
         ZRANGESTORE z z 1 1 -> (1)
         ZRANGE z 0 -1 -> [b]
         ZRANGESTORE d z 5 6 -> (0)
         EXISTS d -> (0)
         ZRANGESTORE d nothing 0 -1 -> (0)
         SET s x -> OK
         ZRANGESTORE d s 0 -1 -> !WRONGTYPE Operation against a key holding the wrong kind of value",
    );
}

#[test]
fn ranges_are_taken_out() {
    on_each(
        "1 a 2 b 3 c 4 d 5 e",
        "ZREMRANGEBYRANK z 1 1 -> (1)
         ZREMRANGEBYRANK z 9 10 -> (0)
         ZREMRANGEBYSCORE z (3 4 -> (1)
         ZRANGE z 0 -1 -> [a c e]
         ZREMRANGEBYSCORE z x 1 -> !ERR min or max is not a float
         ZREMRANGEBYRANK z x 1 -> !ERR value is not an integer or out of range
         ZREMRANGEBYRANK nothing 0 1 -> (0)
         ZREMRANGEBYSCORE z -inf inf -> (3)
         EXISTS z -> (0)",
    );
    on_each(
        "0 a 0 b 0 c",
        "ZREMRANGEBYLEX z [b + -> (2)
         ZRANGE z 0 -1 -> [a]
         ZREMRANGEBYLEX z b + -> !ERR min or max not valid string range item
         ZREMRANGEBYLEX z - + -> (1)
         EXISTS z -> (0)",
    );
}
