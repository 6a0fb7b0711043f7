"""A message is one RFC 8259 object or it is not, however many are read at once."""

import json

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spark.json_objects import read_objects

FIELDS = pa.schema([("name", pa.string()), ("count", pa.int64()), ("price", pa.float64())])
DEPTH = 100_000
DEEP = b"[" * DEPTH + b"]" * DEPTH  # a value nested deeper than Python's reader goes


def read(*messages, among=0):
    """Rows of these messages, each read with `among` valid ones on both sides."""
    good = [b'{"name":"good"}'] * among
    around = [text for message in messages for text in (*good, message, *good)]
    rows = read_objects(pa.array(around, pa.binary()), FIELDS).to_pylist()
    return rows[among :: 2 * among + 1]


OBJECTS = [
    b"{}",
    b" \t\r\n{ } \n",
    b'{"a":[]}',
    b'{"a":[[[[{"b":[1,-0,0.5,1e5,1E+2,-1.5e-10,true,false,null]}]]]]}',
    b'{"":0}',
    b'{"a":1,"a":2}',
    b'{"a":"\\u0000\\"\\\\\\/\\b\\f\\n\\r\\t\\uD83D\\uDE00"}',
    b'{"a":"\x7f"}',
    '{"a":"\u2028\ufeff\U0010ffff"}'.encode(),
    b'{"a":"\\uD800"}',  # half of a surrogate pair: valid JSON, but not Unicode
    b'{"a":123123123123123123123123123123123123123}',
    b'{"a":1e400}',
    b'{"a":' + b"9" * 10_000 + b"}",
    b'{"a":"NaN","b":"[NaN]","c":[", Inf"]}',
    b'{"a":' + DEEP + b"}",
    b'{"a":' * DEPTH + b"[1]" + b"}" * DEPTH,
    b'{"a":"' + b"x" * 1_000_000 + b'"}',
]
NO_OBJECTS = [
    *[b" ", b"null", b"true", b"1", b'"{}"', b"[]", b"[{}]", b"{", b"}", b"}{", b"{}}", b"{{}}", b"{[}"],
    *[b"{}{}", b"{} {}", b"{}\n{}", b"{},{}", b"{}x", b"x{}", b"{};", b"{}#", b"{}/**/", b"/**/{}", b"// x\n{}"],
    *[b"\xef\xbb\xbf{}", b"\x0b{}", b"\xc2\xa0{}", b"{}\x00", b"\x00{}"],
    *[b"{'a':1}", b"{a:1}", b'{"a":1,}', b'{,"a":1}', b'{"a"}', b'{"a":}', b'{"a" 1}', b'{"a":1 "b":2}', b"{1:1}"],
    *[b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}', b'{"a":[1,NaN]}', b'{"a":Inf}', b'{"a": \n -Inf}'],
    *[b'{"a":nul}', b'{"a":True}', b'{"a":None}', b'{"a":undefined}'],
    *[b'{"a":01}', b'{"a":-01}', b'{"a":+1}', b'{"a":1.}', b'{"a":.5}', b'{"a":-}', b'{"a":1e}', b'{"a":0x1F}'],
    *[b'{"a":1_000}', b'{"a":1e1.5}', b'{"a":--1}', '{"a":\uff11}'.encode()],
    *[b'{"a":"\t"}', b'{"a":"\n"}', b'{"a":"\x00"}', b'{"a":"\\x41"}', b'{"a":"\\u12"}', b'{"a":"\\\'"}', b'{"a":"}'],
    *[b'{"a":[1,]}', b'{"a":[1 2]}', b'{"a":[,1]}', b'{"a":[1}', b'{"a":{]}}'],
    b'{"a":' + b"[" * DEPTH + b"]" * (DEPTH - 1) + b"}",
    b'{"a":' + b"[" * DEPTH + b"NaN" + b"]" * DEPTH + b"}",
]
NOT_UTF8 = [b'{"a":"\xff"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xc0\xaf"}', b'{"a":"\xe2\x82"}', b"\xff\xfe{\x00}\x00"]


@pytest.mark.parametrize("among", [0, 50])
def test_message_is_an_object_if_the_grammar_says_so(among):
    assert [row["is_object"] for row in read(*OBJECTS, among=among)] == [True] * len(OBJECTS)


@pytest.mark.parametrize("among", [0, 50])
def test_message_is_not_an_object_if_it_is_anything_else(among):
    found = {
        message[:40]: row["is_object"] for message, row in zip(NO_OBJECTS, read(*NO_OBJECTS, among=among), strict=True)
    }
    assert found == {message[:40]: False for message in NO_OBJECTS}


@pytest.mark.parametrize("word", [b"NaN", b"-NaN", b"Inf", b"-Inf", b"Infinity", b"-Infinity"])
@pytest.mark.parametrize("field", [b"name", b"count", b"price", b"other"])
def test_message_is_not_an_object_if_only_it_has_nan_or_infinity(field, word):
    [row] = read(b'{"%b":%b}' % (field, word), among=50)
    assert row["is_object"] is False


@pytest.mark.parametrize("among", [0, 50])
def test_message_is_neither_when_it_is_not_utf8(among):
    assert [row["is_object"] for row in read(*NOT_UTF8, None, among=among)] == [None] * (len(NOT_UTF8) + 1)


RIGHT = [
    (b'{"name":"a","count":-0,"price":0}', ("a", 0, 0.0)),
    (b'{"name":"","count":9223372036854775807,"price":1e3}', ("", 2**63 - 1, 1000.0)),
    (b'{"name":null,"price":null}', (None, None, None)),
    (b'{"name":"a","name":"b","count":1,"count":2}', ("b", 2, None)),
    (b'{"n\\u0061me":"a"}', ("a", None, None)),
    (b'{"name":"\\uD83D\\uDE00\\u0000"}', ("😀\0", None, None)),
    (b'{"count":-9223372036854775808,"price":12345678901234567890}', (None, -(2**63), 1.2345678901234567e19)),
    (b'{"name":"a","other":' + DEEP + b"}", ("a", None, None)),
    (b'{"name":"a","name":"b","count":1,"count":2,"other":' + DEEP + b"}", ("b", 2, None)),
    (b'{"name":1,"other":' + DEEP + b',"name":"]}\\"{[","n\\u0061me2":{"name":2}}', (']}"{[', None, None)),
]


@pytest.mark.parametrize("among", [0, 50])
def test_fields_hold_values_of_their_type(among):
    rows = read(*[message for message, _ in RIGHT], among=among)
    assert [(row["name"], row["count"], row["price"]) for row in rows] == [values for _, values in RIGHT]
    assert {row["wrong_types"] for row in rows} == {None}


WRONG = [
    (b'{"name":1}', "n.."),
    (b'{"name":true}', "b.."),
    (b'{"name":["a"]}', "c.."),
    (b'{"name":{}}', "c.."),
    (b'{"name":"\\uDC00"}', "t.."),
    (b'{"name":"a","name":2}', "n.."),
    (b'{"count":"1"}', ".t."),
    (b'{"count":1.0}', ".n."),
    (b'{"count":1e2}', ".n."),
    (b'{"count":true}', ".b."),
    (b'{"count":9223372036854775808}', ".n."),
    (b'{"count":' + b"9" * 5_000 + b"}", ".n."),
    (b'{"price":"1"}', "..t"),
    (b'{"price":false}', "..b"),
    (b'{"price":1e400}', "..n"),
    (b'{"price":' + b"9" * 5_000 + b"}", "..n"),
    (b'{"name":[],"count":"","price":true}', "ctb"),
    (b'{"name":' + DEEP + b"}", "c.."),
    (b'{"count":"1","name":1,"other":' + DEEP + b"}", "nt."),
    (b'{"name":"a","other":' + DEEP + b',"name":true,"price":"1"}', "b.t"),
]


@pytest.mark.parametrize("among", [0, 50])
def test_fields_with_values_of_another_type_are_wrong_and_null(among):
    rows = read(*[message for message, _ in WRONG], among=among)
    assert [(row["is_object"], row["wrong_types"]) for row in rows] == [(True, letters) for _, letters in WRONG]
    assert {(row["name"], row["count"], row["price"]) for row in rows} == {(None, None, None)}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
known = st.sampled_from(["name", "count", "price", "other"])
objects = st.dictionaries(known | st.text(max_size=3), values, max_size=5)


@st.composite
def messages(draw):
    """JSON as Python writes it (NaN included), sometimes with a piece removed or inserted."""
    text = json.dumps(draw(objects | values), ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
    piece = draw(
        st.sampled_from([b"", b"{}", b"}{", b"NaN", b"\n", b"\xff", b'"', b"\\", b",", b"0", b" ", b"\xef\xbb\xbf"])
    )
    return draw(st.sampled_from([text, text[:start] + piece + text[end:], text[:start] + piece + text[start:]]))


@given(st.lists(messages(), max_size=12))
@settings(deadline=None, max_examples=300)
@example([b'{"a":1}{"b":2}', b'{"name":"}', b'{"}'])
@example([b'{"other":[{}', b"{}]}"])
def test_messages_read_the_same_in_a_batch_and_alone(texts):
    alone = [row for text in texts for row in read(text)]
    assert read(*texts, among=20) == alone
    packed = read_objects(pa.array([b"{}"] * 40 + texts, pa.binary()), FIELDS).to_pylist()[40:]
    assert packed == alone
