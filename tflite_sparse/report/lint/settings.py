"""The settings that apply to each file, as `lint --show-config` shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tflite_sparse.report.json.documents import dump

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tflite_sparse.lint.config.config import Config
    from tflite_sparse.lint.settings import Settings

__all__ = ["settings_text"]


def settings_text(config: Config, models: Iterable[str]) -> str:
    """The configuration and the settings of models, as JSON in the terms of the configuration."""
    return dump(
        {
            "config": None if config.path is None else str(config.path),
            "fail-on": config.fail_on.label,
            "baseline": config.baseline,
            "files": {path: _settings(config.settings(path)) for path in sorted(models)},
        }
    )


def _settings(settings: Settings) -> dict[str, Any]:
    return {
        "enabled": sorted(settings.enabled),
        "severity": {code: level.label for code, level in sorted(settings.severities.items())},
        "targets": list(settings.targets),
        "budgets": dict(sorted(settings.budgets.items())),
        "reference": settings.reference,
        "near": settings.near,
        "pruned": settings.pruned,
        "min-saving": settings.min_saving,
        "min-saving-share": settings.min_saving_share,
    }
