"""The list of documents on the wire: its members, its parameters. What passes a filter is tested without it."""

import pytest

from tests.http.conftest import Api
from tests.http.test_documents import MEMBERS


async def names(api: Api, query: str) -> list[str]:
    """The names that a list has."""
    answer = await api.http.get(f"/v1/documents?{query}")
    assert answer.status_code == 200, answer.text
    return [row["name"] for row in answer.json()["data"]["documents"]]


async def test_a_list_has_the_members_of_the_contract_in_its_order(api: Api) -> None:
    recorded = await api.recorded(folder="/a", tags=["nda"], description="for Ö")
    answer = await api.http.get("/v1/documents")
    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == ["data", "meta"]
    assert list(body["data"]) == ["documents"]
    assert list(body["data"]["documents"][0]) == MEMBERS
    assert body["data"]["documents"] == [recorded]
    assert list(body["meta"].items()) == [
        ("page", 1),
        ("per_page", 25),
        ("total", 1),
        ("total_is_exact", True),
        ("next_cursor", None),
    ]
    assert "ETag" not in answer.headers


async def test_an_empty_workspace_has_an_empty_list(api: Api) -> None:
    body = (await api.http.get("/v1/documents")).json()
    assert (body["data"], body["meta"]["total"]) == ({"documents": []}, 0)


async def test_a_cursor_leads_through_all_and_has_no_page_number(api: Api) -> None:
    for name in "abc":
        await api.recorded(name=name)
    first = (await api.http.get("/v1/documents?per_page=2")).json()
    assert [row["name"] for row in first["data"]["documents"]] == ["c", "b"]
    assert first["meta"]["page"] == 1
    cursor = first["meta"]["next_cursor"]
    assert first["data"]["documents"][-1]["id"] == f"doc_{cursor}"
    rest = (await api.http.get(f"/v1/documents?per_page=2&cursor={cursor}")).json()
    assert [row["name"] for row in rest["data"]["documents"]] == ["a"]
    assert rest["meta"] == {"page": None, "per_page": 2, "total": 3, "total_is_exact": True, "next_cursor": None}


async def test_pages_are_counted_and_one_beyond_the_end_is_empty(api: Api) -> None:
    for name in "abc":
        await api.recorded(name=name)
    assert await names(api, "page=2&per_page=2") == ["a"]
    beyond = (await api.http.get("/v1/documents?page=3&per_page=2")).json()
    assert beyond["data"] == {"documents": []}
    assert beyond["meta"] == {"page": 3, "per_page": 2, "total": 3, "total_is_exact": True, "next_cursor": None}


async def test_every_filter_arrives_where_it_is_applied(api: Api) -> None:
    await api.recorded(name="Müller", folder="/a", tags=["x", "y"], mime_type="text/plain")
    api.clock.advance(days=1)
    await api.recorded(name="100%", folder="/a/b", tags=["y"], description="under_score")
    assert await names(api, "folder=/a") == ["100%", "Müller"]
    assert await names(api, "folder=/a&recursive=false") == ["Müller"]
    assert await names(api, "folder=%2F&recursive=0") == []
    assert await names(api, "mime_type=text/plain") == ["Müller"]
    assert await names(api, "search=M%C3%9CLLER") == ["Müller"]
    assert await names(api, "search=%25") == ["100%"]
    assert await names(api, "search=er_sc") == ["100%"]
    assert await names(api, "created_after=2026-04-18") == ["100%"]
    assert await names(api, "created_after=2026-04-17T10:45:01Z") == ["100%"]
    assert await names(api, "created_after=2026-04-17T10:45:00Z") == ["100%", "Müller"]


async def test_a_tag_given_several_times_wants_all_of_them(api: Api) -> None:
    await api.recorded(name="both", tags=["x", "y"])
    await api.recorded(name="one", tags=["y"])
    assert await names(api, "tag=y") == ["one", "both"]
    assert await names(api, "tag=y&per_page=9&tag=x") == ["both"]
    assert await names(api, "tag=y&tag=y") == ["one", "both"]
    assert await names(api, "tag=x%2Cy") == []


@pytest.mark.parametrize("parameter", ["page", "per_page", "cursor", "folder", "mime_type", "search", "created_after"])
async def test_any_other_parameter_is_given_once(api: Api, parameter: str) -> None:
    value = {"page": "1", "per_page": "1", "folder": "/a", "mime_type": "a/b", "created_after": "2026-04-17"}
    value |= {"cursor": "01HY0000000000000000000000", "search": "a"}
    answer = await api.http.get(f"/v1/documents?{parameter}={value[parameter]}&{parameter}={value[parameter]}")
    assert answer.status_code == 400
    assert answer.json()["error"]["details"]["fields"] == {parameter: "must be given once"}
    assert (await api.http.get(f"/v1/documents?{parameter}={value[parameter]}")).status_code == 200


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("page=0", "page"),
        ("page=1.0", "page"),
        ("page=", "page"),
        ("per_page=101", "per_page"),
        ("per_page=-1", "per_page"),
        ("folder=a", "folder"),
        ("folder=/a//b", "folder"),
        ("recursive=false", "recursive"),
        ("folder=/a&recursive=no", "recursive"),
        ("tag=", "tag"),
        ("tag=a&tag=%00", "tag"),
        ("tag=" + "x" * 65, "tag"),
        ("&".join(f"tag={number}" for number in range(51)), "tag"),
        ("mime_type=pdf", "mime_type"),
        ("search=" + "x" * 256, "search"),
        ("search=%0A", "search"),
        ("created_after=2026-02-30", "created_after"),
        ("created_after=1776422700", "created_after"),
        ("created_after=2026-04-17T10:45:00", "created_after"),
        ("cursor=doc_01HY0000000000000000000000", "cursor"),
        ("cursor=", "cursor"),
        ("cursor=01HY0000000000000000000000&page=2", "page"),
    ],
    ids=lambda text: text[:30],
)
async def test_a_wrong_parameter_is_named(api: Api, query: str, parameter: str) -> None:
    answer = await api.http.get(f"/v1/documents?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "validation_error")
    assert list(answer.json()["error"]["details"]["fields"]) == [parameter]


async def test_all_wrong_parameters_are_named_at_once(api: Api) -> None:
    answer = await api.http.get("/v1/documents?page=0&per_page=0&folder=a&mime_type=a&cursor=a&created_after=a&tag=")
    fields = answer.json()["error"]["details"]["fields"]
    assert fields.keys() == {"page", "per_page", "folder", "mime_type", "cursor", "created_after", "tag"}


async def test_parameters_that_nobody_knows_are_ignored(api: Api) -> None:
    assert (await api.http.get("/v1/documents?sort=name&sort=id&tags=%00")).status_code == 200


async def test_who_may_not_read_is_told_so_whatever_was_asked(api: Api) -> None:
    answer = await api.http.get("/v1/documents?page=0", headers=await api.key("write:documents"))
    assert answer.status_code == 403
    assert "read:documents" in answer.json()["error"]["message"]


async def test_what_is_deleted_is_not_listed(api: Api) -> None:
    gone, kept = await api.recorded(name="gone"), await api.recorded(name="kept")
    await api.http.delete(f"/v1/documents/{gone['id']}")
    body = (await api.http.get("/v1/documents")).json()
    assert (body["data"]["documents"], body["meta"]["total"]) == ([kept], 1)
