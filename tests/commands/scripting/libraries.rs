//! cjson, cmsgpack, struct, bit, and chance: the same results as the C libraries of Redis.

use super::check_all;

#[test]
fn cjson_writes_values() {
    check_all(&[
        ("return cjson.encode({1,2,{a=1}})", "[1,2,{\"a\":1}]"),
        ("return cjson.encode({})", "{}"),
        ("return cjson.encode({1,nil,3})", "[1,null,3]"),
        (
            "return cjson.encode({cjson.null, true, false})",
            "[null,true,false]",
        ),
        (
            "return cjson.encode('a\"b\\\\c/\\1\\127')",
            "\"a\\\"b\\\\c\\/\\u0001\\u007f\"",
        ),
        (
            "return cjson.encode({0.1, 1e100, 2^53, -0.5, 1/3})",
            "[0.1,1e+100,9.007199254741e+15,-0.5,0.33333333333333]",
        ),
        ("return cjson.encode({[2]=1})", "[null,1]"),
        ("return cjson.encode({[1.5]=1})", "{\"1.5\":1}"),
        (
            "return cjson.encode({[100]=1})",
            "!ERR user_script:1: Cannot serialise table: excessively sparse array script: SHA, on @user_script:1.",
        ),
        (
            "return cjson.encode(1/0)",
            "!ERR user_script:1: Cannot serialise number: must not be NaN or Inf script: SHA, on @user_script:1.",
        ),
        (
            "return cjson.encode(print == nil)",
            "!ERR user_script:1: Script attempted to access nonexistent global variable 'print' script: SHA, on @user_script:1.",
        ),
        (
            "return cjson.encode(1, 2)",
            "!ERR user_script:1: bad argument #1 to 'encode' (expected 1 argument) script: SHA, on @user_script:1.",
        ),
    ]);
}

#[test]
fn cjson_reads_values() {
    check_all(&[
        ("return cjson.decode('[1,[2],\"x\"]')", "[(1) [(2)] x]"),
        ("return cjson.decode('{\"a\":{\"b\":[1]}}').a.b", "[(1)]"),
        (
            "return tostring(cjson.decode('null') == cjson.null)",
            "true",
        ),
        (
            "return cjson.decode('\"\\\\u0041\\\\u00e9\\\\ud83d\\\\ude00\"')",
            "Aé😀",
        ),
        (
            "return tostring(cjson.decode('[1e3, 0x10, -inf]')[3])",
            "-inf",
        ),
        (
            "return cjson.decode('[1,2')",
            "!ERR user_script:1: Expected comma or array end but found T_END at character 5 script: SHA, on @user_script:1.",
        ),
        (
            "return cjson.decode('{1:2}')",
            "!ERR user_script:1: Expected object key string but found T_NUMBER at character 2 script: SHA, on @user_script:1.",
        ),
        (
            "return cjson.decode('[1]x')",
            "!ERR user_script:1: Expected the end but found invalid token at character 4 script: SHA, on @user_script:1.",
        ),
    ]);
}

#[test]
fn the_settings_of_a_cjson_are_its_own() {
    check_all(&[
        (
            "local c = cjson.new() c.encode_sparse_array(true) return {c.encode({[100]=1}), pcall(cjson.encode, {[100]=1})}",
            "[{\"100\":1} nil Cannot serialise table: excessively sparse array]",
        ),
        (
            "local c = cjson.new() c.encode_number_precision(3) return c.encode(1/3)",
            "0.333",
        ),
        (
            "local c = cjson.new() c.encode_invalid_numbers('null') return c.encode({0/0})",
            "[null]",
        ),
        (
            "local c = cjson.new() c.decode_array_with_array_mt(true) return c.encode(c.decode('[[],{}]'))",
            "[[],{}]",
        ),
        ("return cjson.encode(cjson.decode('[[],{}]'))", "[{},{}]"),
        (
            "local c = cjson.new() c.encode_max_depth(1) return c.encode({{}})",
            "!ERR user_script:1: Cannot serialise, excessive nesting (2) script: SHA, on @user_script:1.",
        ),
    ]);
}

#[test]
fn cmsgpack_packs_in_the_shortest_form() {
    let hex = |value: &str| {
        format!(
            "return (cmsgpack.pack({value}):gsub('.', function(c) return string.format('%02x', c:byte()) end))"
        )
    };
    for (value, bytes) in [
        ("1", "01"),
        ("-1", "ff"),
        ("128", "cc80"),
        ("65536", "ce00010000"),
        ("2^53", "cf0020000000000000"),
        ("-129", "d1ff7f"),
        ("1.5", "ca3fc00000"),
        ("0.1", "cb3fb999999999999a"),
        ("'abc'", "a3616263"),
        ("{1,2}", "920102"),
        ("{a=1}", "81a16101"),
        ("{}", "90"),
        ("nil, true, false", "c0c3c2"),
    ] {
        check_all(&[(hex(value).as_str(), bytes)]);
    }
}

#[test]
fn cmsgpack_unpacks_all_one_or_a_few() {
    check_all(&[
        (
            "return {cmsgpack.unpack(cmsgpack.pack(1, 'a', {2}))}",
            "[(1) a [(2)]]",
        ),
        (
            "return {cmsgpack.unpack_one(cmsgpack.pack(1, 2))}",
            "[(1) (1)]",
        ),
        (
            "return {cmsgpack.unpack_one(cmsgpack.pack(1, 2), 1)}",
            "[(-1) (2)]",
        ),
        (
            "return {cmsgpack.unpack_limit(cmsgpack.pack(1, 2, 3), 2)}",
            "[(2) (1) (2)]",
        ),
        (
            "return cmsgpack.unpack('\\193')",
            "!ERR user_script:1: Bad data format in input. script: SHA, on @user_script:1.",
        ),
        (
            "return cmsgpack.pack()",
            "!ERR user_script:1: bad argument #0 to 'pack' (MessagePack pack needs input.) script: SHA, on @user_script:1.",
        ),
    ]);
}

#[test]
fn struct_packs_and_unpacks() {
    check_all(&[
        ("return struct.pack('>I2', 258)", "\u{1}\u{2}"),
        ("return struct.pack('<I2', 258)", "\u{2}\u{1}"),
        (
            "return {struct.unpack('>I2c3s', '\\1\\2abcxyz\\0')}",
            "[(258) abc xyz (10)]",
        ),
        ("return {struct.unpack('Bc0', '\\3abcdef')}", "[abc (5)]"),
        ("return {struct.unpack('b', '\\255')}", "[(-1) (2)]"),
        ("return struct.size('!8Bd')", "(16)"),
        ("return struct.size('Bd')", "(9)"),
        (
            "return tostring((struct.unpack('d', struct.pack('d', 0.1))))",
            "0.1",
        ),
    ]);
}

#[test]
fn bit_works_on_32_bits() {
    check_all(&[
        ("return bit.band(0xff, 0x0f, 0x05)", "(5)"),
        ("return bit.bor(1, 2, 4)", "(7)"),
        ("return bit.bxor(5, 1)", "(4)"),
        ("return bit.bnot(0)", "(-1)"),
        ("return bit.lshift(1, 31)", "(-2147483648)"),
        ("return bit.rshift(-1, 28)", "(15)"),
        ("return bit.arshift(-16, 2)", "(-4)"),
        ("return bit.rol(0x12345678, 8)", "(878082066)"),
        ("return bit.bswap(0x12345678)", "(2018915346)"),
        ("return bit.tobit(2^32 + 5)", "(5)"),
        (
            "return {bit.tohex(255), bit.tohex(255, 4), bit.tohex(-1, -2)}",
            "[000000ff 00ff FF]",
        ),
        (
            "return bit.band()",
            "!ERR user_script:1: bad argument #1 to 'band' (number expected, got no value) script: SHA, on @user_script:1.",
        ),
    ]);
}

#[test]
fn a_seed_decides_chance() {
    check_all(&[
        (
            "math.randomseed(5) return {tostring(math.random()), math.random(10), math.random(5,7)}",
            "[0.52483957937213 (3) (7)]",
        ),
        (
            "return math.random(3, 2)",
            "!ERR user_script:1: bad argument #2 to 'random' (interval is empty) script: SHA, on @user_script:1.",
        ),
    ]);
}
