"""The page of `tflite-sparse report` in a real headless browser, opened from disk."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.command import call
from tests.support.docs.pages import browser
from tests.support.peers.npm import AXE, npm_file
from tests.support.real_models import real_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.docs.pages import Opener, OpenPage

DATA = Path(__file__).parents[3] / "testdata"
SAME, DENSE = DATA / "mobilenet_tiny_80_same.tflite", DATA / "mobilenet_tiny_80.tflite"
SPARSE = DATA / "mobilenet_tiny_80_sparse.tflite"
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def opened() -> Iterator[Opener]:
    with browser() as opener:
        yield opener


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages about a real sparse model, a model that is blocked, and two models side by side."""
    folder = tmp_path_factory.mktemp("pages")
    made = {
        "pose": [real_model("pose_detection")],
        "same": [SAME],
        "two": [DENSE, SPARSE],
    }
    paths = {}
    for name, models in made.items():
        paths[name] = folder / f"{name}.html"
        done = call("report", *models, "-o", paths[name])
        assert (done.code, done.err) == (0, "")
    return paths


def data_of(path: Path) -> dict[str, Any]:
    found = re.search(r'id="data">(.*?)</script>', path.read_text("utf-8"), re.DOTALL)
    assert found
    parsed: dict[str, Any] = json.loads(found[1])
    return parsed


def shown_operators(page: OpenPage) -> list[str]:
    return page.texts(".op[role=option] .kind")


@pytest.mark.parametrize("name", ["pose", "same", "two"])
def test_a_page_asks_for_nothing_and_complains_of_nothing(opened, pages, name):
    with opened(pages[name]) as page:
        page.hover(".op[role=option]")
        page.click(".weights .open")
        assert page.ask("document.documentElement.dataset.ready") == "true"
        assert page.said == []
        assert page.asked == [pages[name].as_uri()]


def test_what_is_not_allowed_is_seen_to_be_reported(opened, pages, tmp_path):
    # What the test above rests on: a picture from elsewhere and a foreign script do not go unseen.
    changed = tmp_path / "changed.html"
    text = pages["same"].read_text("utf-8")
    changed.write_text(
        text.replace("</main>", '<img src="x.png"><script>document.title = "run"</script></main>')
    )
    with opened(changed) as page:
        assert len([line for line in page.said if "Content Security Policy" in line]) == 2
        assert page.ask("document.title") != "run"


def test_a_hover_shows_the_operator_its_weights_and_the_rule_that_refused(opened, pages):
    with opened(pages["same"]) as page:
        page.hover(".op.blocker")
        told = page.text(".detail")
        assert "stem" in told
        assert "It stands in the way" in told
        assert "conv-entry-padding" in told
        assert "stem/filter" in told
        page.hover(".op.f-blocked")
        blocked = page.text(".detail")
        assert "blocked" in blocked
        assert "cluster-producer" in blocked
        page.click(".op.blocker")
        page.hover(".op.f-blocked")
        page.hover("h1")
        assert page.text(".detail") == told


def test_the_strip_shows_and_chooses_operators_too(opened, pages):
    with opened(pages["same"]) as page:
        page.hover(".graph-card .strip rect.f-dense[data-o]")
        assert "0 CONV_2D" in page.text(".detail h4")
        page.click(".graph-card .strip rect.f-blocked[data-o]")
        assert "1 DEPTHWISE_CONV_2D" in page.text(".detail h4")
        assert page.ask("document.querySelector('[aria-selected=true] .ix').textContent") == "1"


def test_the_list_is_walked_by_keys(opened, pages):
    with opened(pages["same"]) as page:
        page.ask("document.querySelector('.ops').focus()")
        page.press("ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp")
        chosen = "document.getElementById(document.querySelector('.ops').getAttribute('{}'))"
        row = chosen.format("aria-activedescendant")
        assert page.ask(f"{row}.querySelector('.ix').textContent") == "1"
        page.press("End")
        assert page.ask(f"{row}.querySelector('.kind').textContent") == "SOFTMAX"
        assert page.ask("document.querySelectorAll('[aria-selected=true]').length") == 1


def test_operators_are_found_by_fate_by_name_and_by_what_stands_in_the_way(opened, pages):
    with opened(pages["pose"]) as page:
        model = data_of(pages["pose"])["models"][0]
        work = [place for place, op in enumerate(model["ops"]) if not op[7]]
        assert page.text(".graph-card .count") == f"{len(work)} operators"
        assert len(shown_operators(page)) == len(work)
        page.click(".legend [data-fate=blocked]")
        assert page.text(".graph-card .count") == f"6 of {len(work)} operators"
        assert page.ask("document.querySelectorAll('.op:not(.dim):not(.heads)').length") == 6
        page.click(".legend [data-fate=blocked]")
        page.fill(".find", "resize")
        assert shown_operators(page) == ["RESIZE_BILINEAR"] * 2
        page.fill(".find", "")
        page.click(".next-blocker")
        first = model["views"][0]["blockers"][0]
        assert page.text(".detail h4").split()[0] == str(model["ops"][first][0])
        page.click(".unpacking")
        assert len(shown_operators(page)) == len(model["ops"]) == 291


def test_other_targets_colour_the_graph_anew(opened, pages):
    with opened(pages["pose"]) as page:
        views = data_of(pages["pose"])["models"][0]["views"]
        for place, view in enumerate(views):
            page.ask(f"document.querySelectorAll('.choice input')[{place}].click()")
            for index, kind in enumerate(("sparse", "layout", "blocked", "dense")):
                rows = page.ask(f"document.querySelectorAll('li.op.f-{kind}').length")
                assert rows == view["fates"].count(str(index))
            crosses = page.ask("document.querySelectorAll('li.op.blocker').length")
            assert crosses == len(view["blockers"])
            marks = page.ask("document.querySelectorAll('.graph-card .marks rect').length")
            assert marks == len(view["blockers"])
        # What the script draws is what was written for the first targets.
        drawn = "[...document.querySelectorAll('li.op')].map(e => [...e.classList].sort().join())"
        page.ask("document.querySelector('.choice input').click()")
        again = page.ask(drawn)
    with opened(pages["pose"], java_script_enabled=False) as page:
        assert page.ask(drawn) == again


def test_weights_are_filtered_and_counted(opened, pages):
    with opened(pages["pose"]) as page:
        count, shown = ".weights-card .count", ".weights tbody tr:not([hidden])"
        assert page.text(count) == "73 of 73 weights"
        page.choose(".by-zeros", "0.7")
        assert page.text(count) == "38 of 73 weights"
        assert len(page.texts(shown)) == 38
        page.choose(".by-storage", "dense")
        assert page.text(count) == "0 of 73 weights"
        page.choose(".by-storage", "sparse")
        page.fill(".by-name", "CONV2D_27/")
        assert page.text(count) == "1 of 73 weights"
        page.fill(".by-name", "")
        page.choose(".by-zeros", "0")
        page.choose(".by-storage", "")
        page.choose(".by-kind", "DEPTHWISE_CONV_2D")
        assert page.text(count) == "28 of 73 weights"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("zeros", lambda weight: -weight["sort"][1]),
        ("now", lambda weight: -weight["bytes"][0]),
        ("saving", lambda weight: -weight["bytes"][3]),
        ("name", lambda weight: weight["name"]),
    ],
)
def test_weights_are_sorted_and_say_how(opened, pages, key, value):
    with opened(pages["pose"]) as page:
        weights = data_of(pages["pose"])["models"][0]["weights"]
        page.click(f".weights [data-key={key}]")
        names = (
            "[...document.querySelectorAll('.weights tbody tr')].map(e => Number(e.id.slice(3)))"
        )
        expected = sorted(range(len(weights)), key=lambda place: value(weights[place]))
        assert page.ask(names) == expected
        sorted_by = "document.querySelectorAll('.weights [aria-sort]')"
        assert page.ask(f"[...{sorted_by}].map(e => e.className)")[0].startswith(f"c-{key}")
        assert page.ask(f"{sorted_by}.length") == 1
        page.press("Enter")
        turned = page.ask(names)
        assert [value(weights[place]) for place in turned] == sorted(
            map(value, weights), reverse=True
        )


def test_a_weight_opens_onto_its_map_and_its_histogram(opened, pages):
    with opened(pages["pose"]) as page:
        weights = data_of(pages["pose"])["models"][0]["weights"]
        place = next(n for n, weight in enumerate(weights) if weight["map"]["cell"] != [1, 1])
        facts = weights[place]["map"]
        page.click(f"#m0w{place} .open")
        row = f"#m0x{place}"
        assert page.ask(f"document.querySelector('#m0w{place} .open').ariaExpanded") == "true"
        size = f"(c => [c.height, c.width])(document.querySelectorAll('{row} canvas')[%d])"
        assert page.ask(size % 0) == facts["grid"]
        assert page.ask(size % 1) == facts["corner"]
        bars = page.ask(f"document.querySelectorAll('{row} .histogram rect').length")
        assert bars == sum(count > 0 for count in facts["histogram"])
        told = page.text(row)
        assert f"{facts['cell'][0]} × {facts['cell'][1]} values" in told  # noqa: RUF001 - the page's
        assert "CSR" in told
        page.click(f"#m0w{place} .open")
        assert page.ask(f"document.querySelector('{row}')") is None


def test_a_weight_is_reached_from_its_operator_even_when_filtered_away(opened, pages):
    with opened(pages["same"]) as page:
        page.fill(".by-name", "nothing has this name")
        assert page.text(".weights-card .count") == "0 of 12 weights"
        page.click(".op.blocker")
        page.click(".detail a[href^='#m0w']")
        assert page.text(".weights-card .count") == "12 of 12 weights"
        assert page.texts(".more")


def test_two_models_stand_side_by_side(opened, pages):
    with opened(pages["two"]) as page:
        first, second = page.ask(
            "[...[...document.querySelectorAll('.compare tbody tr')]"
            ".find(row => row.innerText.startsWith('multiply-adds')).querySelectorAll('td')]"
            ".map(e => e.innerText)"
        )
        assert first.startswith("0 % of")
        assert second.startswith("70.1 % of")
        assert len(page.texts(".strips .strip")) == 2
        assert "They mean the same" in page.text("main")
        page.ask("document.querySelectorAll('[data-graph]')[1].scrollIntoView()")
        page.hover("#m1 .op.f-sparse")
        assert "sparse kernel" in page.text("#m1 .detail")
        assert "sparse kernel" not in page.text("#m0 .detail")


@pytest.mark.parametrize(
    ("scheme", "rules"),
    [
        ("light", {}),
        ("dark", {"runOnly": ["color-contrast", "link-in-text-block"]}),
    ],
)
def test_the_page_can_be_used_without_seeing_it_and_read_by_weak_eyes(opened, pages, scheme, rules):
    script = npm_file(*AXE).decode()
    with opened(pages["two"], color_scheme=scheme) as page:
        page.click(".op.f-blocked")
        page.click(".weights .open")
        page.ask("() => document.querySelectorAll('details').forEach(e => { e.open = true })")
        page.ask(script)
        found = page.ask("rules => axe.run(document, rules)", rules)
        assert "color-contrast" in {rule["id"] for rule in found["passes"]}
        broken = {
            rule["id"]: [node["html"][:160] for node in rule["nodes"][:3]]
            for rule in found["violations"]
        }
        assert broken == {}


def test_the_two_schemes_look_different_and_maps_follow(opened, pages):
    with opened(pages["same"], color_scheme="light") as page:
        page.click(".weights .open")
        first = "document.querySelector('.more canvas').getContext('2d').getImageData(0, 0, 1, 1)"
        pixel = f"[...{first}.data]"
        light = page.ask("getComputedStyle(document.body).backgroundColor"), page.ask(pixel)
        page.media(color_scheme="dark")
        page.until(f"{pixel}.join() !== '{','.join(map(str, light[1]))}'")
        dark = page.ask("getComputedStyle(document.body).backgroundColor"), page.ask(pixel)
        assert all(one != other for one, other in zip(light, dark, strict=True))


@pytest.mark.parametrize("name", ["pose", "same", "two"])
def test_a_phone_shows_everything_without_scrolling_sideways(opened, pages, name):
    with opened(pages[name], viewport=PHONE, has_touch=True) as page:
        assert page.ask("document.documentElement.scrollWidth") == PHONE["width"]
        page.click(".op[role=option]")
        page.click(".weights .open")
        assert page.ask("document.documentElement.scrollWidth") == PHONE["width"]
        assert page.text(".detail h4")
        # The shape tells the fate; its name is still there for those who do not see it.
        assert (
            page.ask("document.querySelector('.op .fate').textContent") == "dense" or name != "same"
        )


def test_the_first_tab_skips_to_the_report(opened, pages):
    with opened(pages["same"]) as page:
        page.press("Tab")
        assert page.ask("document.activeElement.className") == "skip"
        page.press("Enter")
        assert page.ask("document.activeElement.id") == "main"


def test_it_prints_whole_with_what_was_folded_away(opened, pages):
    with opened(pages["pose"], color_scheme="dark") as page:
        printed = page.pdf()
        assert len(re.findall(rb"/Type /Page\b", printed)) > 5
        page.media(media="print")
        # Paper is white, and nothing on it can be scrolled.
        assert page.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        for selector in (".ops", ".weights-card .scroll"):
            assert page.ask(
                f"(e => e.scrollHeight <= e.clientHeight + 2)(document.querySelector('{selector}'))"
            )
        assert page.texts(".tools") == []
        assert page.ask("[...document.querySelectorAll('details')].every(e => e.open)")
        assert page.ask("document.querySelectorAll('.spy canvas').length") == 73


def test_the_command_is_copied(opened, pages):
    with opened(pages["same"]) as page:
        page.click(".copy")
        assert page.ask("getSelection().toString()") == page.text(".command code")
        assert page.text(".copy") in {"Copied", "Selected"}
