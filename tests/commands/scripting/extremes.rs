//! Extreme counts, positions, sizes and depths: where C counts in 32 bits, copies without bound, or takes its stack.
//! Each has its defined answer, and the server goes on.

use super::{check_all, eval};
use crate::harness::Server;

#[test]
fn tables_that_hold_themselves_are_not_written_for_ever() {
    check_all(&[
        (
            "local t = {} t.a = t t.b = t return cmsgpack.pack({t, t, t, t, t, t, t, t}) and 1",
            "(1)",
        ),
        ("local t = {} t.t = t return cmsgpack.pack(t):len()", "(49)"),
        ("local t = {} t[1] = t return #cmsgpack.pack(t)", "(17)"),
    ]);
}

#[test]
fn nested_replacements_and_coroutines_share_one_c_stack() {
    let mut server = Server::new();
    for script in [
        "local function level(n, d) if n == 0 then if d == 0 then return 'x' end \
         return coroutine.wrap(function() return level(190, d - 1) end)() end \
         return (string.gsub('a', 'a', function() return level(n - 1, d) end)) end return level(190, 60)",
        "local function deep() return coroutine.wrap(function() return (string.gsub('a', 'a', deep)) end)() end return deep()",
        "local function deep(a) return coroutine.wrap(function() table.sort({3, 2, 1}, deep) end)() end return deep()",
        "local function deep() return pcall(coroutine.wrap(function() return string.gsub('a', 'a', deep) end)) end return deep()",
    ] {
        eval(&mut server, script);
        assert_eq!(eval(&mut server, "return 1"), "(1)", "{script}");
    }
}

#[test]
fn positions_far_from_the_elements_are_refused() {
    let out = "!ERR user_script:1: position out of bounds script: SHA, on @user_script:1.";
    // Each seems to have 2^30 elements or so: the length of a table is any place before a nil.
    let powers = (1..30).map(|power| 1_i64 << power);
    let middles = (0..29).map(|power| (1_i64 << 30) - (1 << power));
    let keys: String = powers
        .chain(middles)
        .map(|key| format!("[{key}]=1,"))
        .collect();
    let fake = format!("local t = {{1,{keys}}}");
    check_all(&[
        (&format!("{fake} return #t"), "(1073741823)"),
        ("local t = {} table.insert(t, -2^31, 1)", out),
        ("local t = {} table.insert(t, -1e18, 1)", out),
        ("local t = {} table.insert(t, 2^31, 1)", out),
        ("local t = {} table.insert(t, 0/0, 1)", out),
        ("return table.remove({1,2,3}, -2^40)", out),
        (&format!("{fake} table.insert(t, 1, 1)"), out),
        (&format!("{fake} return table.remove(t, 1)"), out),
        (
            "local t = {1,2} table.insert(t, 1, 0) table.insert(t, 5, 9) return {t[1], t[2], t[3], t[5]}",
            "[(0) (1) (2) (9)]",
        ),
        (
            "local t = {1,2} return {table.remove(t, 1), table.remove(t), #t}",
            "[(1) (2) (0)]",
        ),
        ("local t = {} table.insert(t, 0, 'x') return t[0]", "x"),
        (
            "local sum = 0 table.foreachi({1,2,3}, function(i, v) sum = sum + i * v end) return sum",
            "(14)",
        ),
        (
            "return table.foreachi({1,2,3}, function(i) if i == 2 then return 'two' end end)",
            "two",
        ),
    ]);
}

#[test]
fn many_copies_of_a_long_text_are_bounded() {
    let table = "local s, t = string.rep('x', 2^24), {} for i = 1, 40 do t[i] = s end";
    check_all(&[
        (
            &format!("{table} return #cmsgpack.pack(t)"),
            "!ERR not enough memory script: SHA, on @user_script:1.",
        ),
        (
            &format!("{table} return t"),
            "!ERR the reply of the script is too large",
        ),
        (
            "local s = string.rep('x', 2^27) return redis.call('del', s, s, s, s, s, s, s, s, s)",
            "!ERR not enough memory script: SHA, on @user_script:1.",
        ),
        (
            "local s = string.rep('x', 2^27) redis.log(redis.LOG_DEBUG, s, s, s, s, s, s, s, s, s)",
            "nil",
        ),
        (
            "local s = string.rep('x', 2^27) return #struct.pack(string.rep('c0', 9), s, s, s, s, s, s, s, s, s)",
            "!ERR not enough memory script: SHA, on @user_script:1.",
        ),
    ]);
}

#[test]
fn more_arguments_than_the_stack_has_room_for_are_taken_or_refused() {
    // A native finds 8,000 values and more only if the script itself puts some before those that `unpack` gives.
    let words = "local t = {} for i = 1, 7980 do t[i] = 1 end \
                 local ones = '1,' ones = ones:rep(40)";
    let mut server = Server::new();
    let call_all = format!(
        "{words} local done = 0 \
         for _, library in ipairs({{redis, bit, cjson, cmsgpack, struct, string, table, math, coroutine}}) do \
           for name, native in pairs(library) do if type(native) == 'function' then \
             local call = loadstring('local native, t = ... return native(' .. ones .. ' unpack(t))') \
             pcall(call, native, t) done = done + 1 \
           end end \
         end return done > 60 and 'all'"
    );
    assert_eq!(eval(&mut server, &call_all), "all");
    for (expression, reply) in [
        ("bit.tobit", "(1)"),
        ("bit.bor", "(1)"),
        ("bit.lshift", "(2)"),
        ("bit.tohex", "1"),
        (
            "redis.error_reply",
            "!ERR wrong number or type of arguments",
        ),
        (
            "redis.acl_check_cmd",
            "!ERR Invalid command passed to redis.acl_check_cmd() script: SHA, on @user_script:1.",
        ),
    ] {
        let ones = "1,".repeat(40);
        let script = format!("{words} return {expression}({ones} unpack(t))");
        assert_eq!(eval(&mut server, &script), reply, "{expression}");
    }
    let pushed = eval(
        &mut server,
        &format!(
            "{words} return redis.call('rpush', 'list', {} unpack(t))",
            "1,".repeat(100)
        ),
    );
    assert_eq!(pushed, "(8080)");
}

/// What only has to end, with whatever answer, and leave a server that runs scripts.
const EXTREMES: &[&str] = &[
    // Positions and counts that do not fit 32 bits.
    "return {string.byte('abc', -2^31, 2^31)}",
    "return {string.byte('abc', -2^63, 2^63)}",
    "return {string.byte('abc', 2^31 - 1, 2^32)}",
    "return {string.byte(string.rep('x', 2^22), 1, -1)}",
    "return string.sub('abc', -2^63, 2^63)",
    "return string.sub('abc', 2^63, -2^63)",
    "return string.sub('abc', 0/0, 1/0)",
    "return string.find('abc', 'b', 2^53)",
    "return string.find('abc', 'b', -2^63)",
    "return string.find('abc', '', 2^31, true)",
    "return string.match('abc', '.', 0/0)",
    "return string.gsub('abc', '.', 'x', 2^31)",
    "return string.gsub('abc', '.', 'x', -2^31)",
    "return string.rep('x', 0/0)",
    "return string.rep('x', -2^31)",
    "return string.char(-1)",
    "return string.char(2^31)",
    "return string.char(2^32 + 65)",
    "return select(-2^31, 1)",
    "return select(2^31, 1)",
    "return select(2^32 + 1, 'x')",
    "return select(0/0, 1)",
    "return select(-1, unpack({}, 1, 7000))",
    "return table.concat({}, ',', -2^31, 2^31 - 1)",
    "return table.concat({}, ',', 2^31 - 1, 2^31 - 1)",
    "return table.concat({1,2,3}, ',', 2^31 - 2, 2^31 - 1)",
    "return table.concat({}, string.rep('x', 2^20), 1, 2^31)",
    "local t = {} for i = 1, 200 do t[i] = 'x' end return #table.concat(t, string.rep('y', 2^16))",
    "return table.maxn({[2^60] = 1, [2^31] = 1, [-2^31] = 1})",
    "return table.getn({[2^31] = 1})",
    "local t = {} t[2^31] = 1 t[2^32] = 2 t[-2^31] = 3 t[2^53] = 4 t[1/0] = 5 return #t",
    "return table.remove({}, 2^31)",
    "return table.foreach(_G, type)",
    "return unpack(setmetatable({}, {__len = function() return 2^31 end}), 2^31 - 2, 2^31 - 1)",
    "local function f(...) return select('#', ...) end return f(unpack({}, 1, 7990))",
    "return coroutine.wrap(function(...) return select('#', ...) end)(unpack({}, 1, 7990))",
    "for i = 1, 100 do pcall(coroutine.resume, coroutine.create(function() end), unpack({}, 1, 7997)) end",
    "return redis.call('del', unpack({}, 1, 7000))",
    "local t = {} for i = 1, 7990 do t[i] = i end return redis.call('del', unpack(t))",
    "local t = {} for i = 1, 7990 do t[i] = i end return cmsgpack.pack(unpack(t))",
    "local t = {} for i = 1, 7990 do t[i] = {{{}}} end return cmsgpack.pack(unpack(t))",
    "local t = {} for i = 1, 7990 do t[i] = i end return bit.bxor(unpack(t))",
    "local t = {} for i = 1, 7990 do t[i] = i end return struct.pack(string.rep('b', 7990), unpack(t))",
    "return #{struct.unpack(string.rep('b', 9000), string.rep('x', 9000))}",
    "return #{cmsgpack.unpack(string.rep('\\1', 9000))}",
    "return #{cmsgpack.unpack_limit(string.rep('\\1', 9000), 2^62, 2^62)}",
    "return #{cmsgpack.unpack(string.rep('\\1', 7980) .. string.rep('\\145', 900) .. '\\1')}",
    "return cmsgpack.unpack_one('x', -2^63)",
    // Formats.
    "return string.format('%99.99f', 1e308)",
    "return string.format('%099.99f', -1e308)",
    "return string.format('%100d', 1)",
    "return string.format('%.100d', 1)",
    "return string.format('%5')",
    "return string.format('%')",
    "return string.format('%-+ #0#5d', 1)",
    "return string.format('%d', 2^63)",
    "return string.format('%x', 0/0)",
    "return string.format('%c', -1)",
    "return string.format('%.20s', string.rep('x', 2^20))",
    "return #string.format('%s%s', string.rep('x', 2^24), string.rep('x', 2^24))",
    "return #string.format('%q', string.rep('\\0', 2^20))",
    "return #string.format(string.rep('%s', 7000), unpack({}, 1, 7000))",
    "return struct.pack('i32', 1e300)",
    "return struct.pack('!1073741824i32', 1)",
    "return struct.pack('!2147483648i', 1)",
    "return struct.size(string.rep('c2147483647', 100))",
    "return struct.unpack('I4c0', '\\255\\255\\255\\127')",
    "return struct.unpack('dc0', struct.pack('d', 0/0))",
    "return struct.unpack('dc0', struct.pack('d', 1e308))",
    "return bit.lshift(1, 2^53)",
    "return bit.tohex(1, -2^31)",
    "return bit.tohex(1, 2^31)",
    "return bit.bnot(0/0)",
    "return tonumber(string.rep('9', 2^16))",
    "return tonumber('0x' .. string.rep('f', 2^16), 16)",
    "return tonumber('1e' .. string.rep('9', 2^16))",
    "return tonumber('10', 2^32 + 10)",
    "return math.random(-2^63, 2^63)",
    "return math.random(0/0)",
    "return math.ldexp(1, 2^40)",
    "return math.fmod(1, 0)",
    "return collectgarbage('step', -2^31)",
    "return collectgarbage('step', 2^31)",
    // Patterns.
    "return string.find('a', '[')",
    "return string.find('a', '[^')",
    "return string.find('a', '[%')",
    "return string.find('a', '[a-')",
    "return string.find('a', '%')",
    "return string.find('a', '%b')",
    "return string.find('a', '%f')",
    "return string.find('a', '%1')",
    "return string.find('a', '(()%1')",
    "return string.find('a', string.rep('(', 33))",
    "return string.find('a', string.rep('()', 33))",
    "return string.gsub('a', '(a)', '%2')",
    "return string.gsub('a', 'a', '%')",
    "return string.find(string.rep('(', 2^11), '%b()')",
    "return string.find('\\0a', '%z[%z]*')",
    "return string.gsub(string.rep('a', 2^16), '', string.rep('b', 2^8))",
    "for w in string.gmatch('abc', '') do end",
    // Comparison functions that are none.
    "local t = {} for i = 1, 1000 do t[i] = i % 7 end table.sort(t, function() return true end)",
    "local t = {} for i = 1, 1000 do t[i] = i % 7 end table.sort(t, function() return false end)",
    "local t = {} for i = 1, 1000 do t[i] = i end table.sort(t, function(a, b) for i = 1, 1000 do t[i] = nil end return true end)",
    "local n = 0 local t = {} for i = 1, 1000 do t[i] = i end table.sort(t, function(a, b) n = n + 1 return n % 2 == 0 end)",
    "table.sort({3, 'x', {}})",
    "table.sort({1, 2, 3}, function() coroutine.yield() end)",
    // Recursion.
    "local function f() return xpcall(f, f) end return f()",
    "return xpcall(error, function(e) return xpcall(error, function(e) error(e) end) end)",
    "local function h(e) error(e) end return xpcall(function() error('x') end, h)",
    "local function h(e) return pcall(error, e) end return xpcall(function() error('x') end, h)",
    "local f = pcall for i = 1, 100 do local g = f f = function(...) return pcall(g, ...) end end return f(error)",
    "local t = {} for i = 1, 10000 do t = setmetatable({}, {__index = t}) end return t.x",
    "local t = {} for i = 1, 10000 do local u = t t = setmetatable({}, {__index = function(_, k) return u[k] end}) end return t.x",
    "local t = setmetatable({}, {}) getmetatable(t).__newindex = t t.x = 1",
    "local t = setmetatable({}, {}) getmetatable(t).__concat = function(a, b) return a .. b end return t .. 'x'",
    "local t = setmetatable({}, {}) getmetatable(t).__call = t return t()",
    "local t = setmetatable({}, {__eq = function(a, b) return a == b end}) local u = setmetatable({}, getmetatable(t)) return t == u",
    "local t = setmetatable({}, {__lt = function(a, b) return a < b end}) return t < t",
    "return tostring(setmetatable({}, {__tostring = function() return {} end}))",
    "error(setmetatable({}, {__tostring = function(t) error(t) end}))",
    "local co co = coroutine.create(function() return coroutine.resume(co) end) return coroutine.resume(co)",
    "local co co = coroutine.wrap(function() return co() end) return co()",
    "return coroutine.yield(1)",
    "return pcall(coroutine.yield)",
    "local co = coroutine.create(function() pcall(coroutine.yield) end) return coroutine.resume(co)",
    "local t = {} for i = 1, 20000 do t[i] = coroutine.create(function() end) end return #t",
    "local s = 'return 1' for i = 1, 100 do s = 'return loadstring(' .. string.format('%q', s) .. ')()' if #s > 2^20 then break end end return loadstring(s)()",
    "return loadstring(string.rep('function f() ', 1000))",
    "return loadstring('return ' .. string.rep('function() return ', 1000))",
    "return loadstring('x = ' .. string.rep('{', 1000))",
    "return loadstring('x = ' .. string.rep('-', 100000) .. '1')",
    "return loadstring('return ' .. string.rep('a.', 100000) .. 'a')",
    "return loadstring('return ' .. string.rep('f', 100000) .. string.rep('()', 100000))",
    "return loadstring('return ' .. string.rep('2^', 100000) .. '2')",
    "return loadstring('local ' .. string.rep('a,', 300) .. 'a')",
    "return loadstring('return ' .. string.rep('1,', 100000) .. '1')",
    "return loadstring(string.rep('if x then ', 1000))",
    "return loadstring('if x then ' .. string.rep('elseif x then ', 5000) .. 'end')",
    "return loadstring('goto x', string.rep('n', 2^20))",
    "return loadstring('x x', '=sandbox')",
    "return #string.dump(function() return 1 end)",
    "return string.dump(redis.call)",
    "return loadstring(string.dump(loadstring('return 1')):sub(2))",
    // Re-entry.
    "return redis.call('set', 'k', setmetatable({}, {__tostring = function() return redis.call('get', 'k') end}))",
    "local t = setmetatable({}, {__index = function(_, k) return redis.call('get', k) end}) return string.gsub('k', 'k', t)",
    "return string.gsub('kkk', 'k', function() redis.call('incr', 'n') return redis.call('get', 'n') end)",
    "local t = {3, 2, 1} table.sort(t, function(a, b) redis.call('incr', 'n') return a < b end) return t",
    "return coroutine.wrap(function() return redis.call('incr', 'n') end)()",
    "local co = coroutine.wrap(function() coroutine.yield(redis.call('incr', 'n')) return redis.call('nosuch') end) co() return pcall(co)",
];

#[test]
fn whatever_is_asked_for_the_server_goes_on() {
    let mut server = Server::new();
    server.check("SET k v -> OK\n SET n 0 -> OK");
    for script in EXTREMES {
        eval(&mut server, script);
        assert_eq!(eval(&mut server, "return 1"), "(1)", "{script}");
    }
    let coroutines = "return coroutine.wrap(function() return 7 end)()";
    assert_eq!(
        eval(&mut server, coroutines),
        "(7)",
        "their depth is counted anew"
    );
}

#[test]
fn every_function_takes_more_arguments_than_its_stack_has_room_for() {
    let mut server = Server::new();
    let literals = "1,".repeat(60);
    for value in ["1", "'x'", "{}"] {
        let script = format!(
            "local t = {{}} for i = 1, 7990 do t[i] = {value} end \
             for _, name in ipairs {{'redis', 'bit', 'cjson', 'cmsgpack', 'struct', 'string', 'table', 'math', 'coroutine'}} do \
             for _, f in pairs(_G[name]) do if type(f) == 'function' then pcall(f, {literals} unpack(t)) end end end \
             return select('#', {literals} unpack(t))"
        );
        assert_eq!(eval(&mut server, &script), "(8050)", "{value}");
    }
    assert_eq!(
        eval(&mut server, "return #redis.status_reply('x').ok"),
        "(1)"
    );
}
