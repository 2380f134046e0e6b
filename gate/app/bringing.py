"""What the action does with renewed baselines: commit them, or open a pull request, and say what is missing for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from gate.app.announcing import Step
from gate.app.landing import Bundle, Unit, land_beside, land_bundle
from gate.app.renewal import Renewal
from gate.core.finding import Outcome
from gate.documents.tree import WorkingTree
from gate.errors import ExitCode, PublishError
from gate.forge.api import Api
from gate.forge.baseline_pulls import merged_pull, open_baseline_pull
from gate.forge.branch import Barred, Branch, Kept, Landed, Writer
from gate.forge.commands import Level
from gate.forge.comments import marker_key
from gate.forge.event import Activity
from gate.forge.git import Git
from gate.forge.settings import ActionSettings
from gate.forge.writers import FileByFile, GitPush, SignedCommit
from gate.store.baselines import Readable
from gate.suites.settings import BaselineSettings, load_settings

SHOWN = 12
AFTER_MERGE = "after-merge"
NOTHING_GIVEN = "pass github-token: ${{ github.token }}, and give the job contents: write"

_Written: TypeAlias = Landed | Kept | Barred


@dataclass(slots=True)
class Bringing:
    """One renewal on its way to the repository; it may be decided anew on that way."""

    step: Step
    settings: ActionSettings
    activity: Activity
    renewal: Renewal

    def bring(self) -> ExitCode:
        """Write what may be written, say so, and return the exit code; raises nothing that the API does."""
        for note in self.renewal.notes:
            self._notice(note)
        update = load_settings(WorkingTree(self.settings.workspace), self.settings.config).baseline
        if not self.renewal.units:
            return self.renewal.code
        if update.update == "off" or not self.activity.branch:
            why = "baseline: {update: off}" if update.update == "off" else "this is not the default branch"
            self._notice(f"no baseline is written: {why}")
            return self.renewal.code
        try:
            written = self._write(update)
        except PublishError as error:
            return self._failed(str(error), error.hint)
        return self.renewal.code if written else self.renewal.code or ExitCode.NOT_PUBLISHED

    def _write(self, update: BaselineSettings) -> bool:
        if not self.settings.github_token:
            raise PublishError("no github-token was given", hint=NOTHING_GIVEN)
        main, bundle = self.branch(), self._bundle()
        if update.update == "branch":
            side = replace(main, name=update.branch)
            return self._told(side, land_beside(main, side, self._writers(), bundle=bundle))
        if update.update == "push":
            made = land_bundle(main, self._writers(), bundle)
            if not isinstance(made, Barred):
                return self._told(main, made)
            self.step.annotate(Level.WARNING, f"{main.name} was not written to: {made.reason}\n{made.hint}")
        side = replace(main, name=f"{update.branch}-{bundle.measured[:SHOWN]}")
        return self._open(main, side, bundle)

    def _open(self, main: Branch, side: Branch, bundle: Bundle) -> bool:
        made = land_beside(main, side, self._writers(), bundle=bundle)
        if isinstance(made, Barred) or (isinstance(made, Kept) and side.head() is None):
            return self._told(side, made)
        opened = open_baseline_pull(main, side, title=bundle.title, measured=bundle.measured)
        if isinstance(opened, Barred):
            self._failed(f"no pull request was opened from {side.name}: {opened.reason}", opened.hint)
            return False
        self._notice(f"the baseline waits in pull request {opened.number}: {opened.url}")
        return True

    def _told(self, branch: Branch, made: _Written) -> bool:
        match made:
            case Landed(commit=commit):
                self._notice(f"the baseline is on {branch.name} as {commit[:SHOWN]}")
            case Kept(reasons=reasons):
                self._notice("; ".join(reasons) if not self.renewal.code else "the baseline stays as it is")
            case Barred(reason=reason, hint=hint):
                self._failed(f"the baseline was not written to {branch.name}: {reason}", hint)
                return False
        return True

    def _failed(self, words: str, hint: str) -> ExitCode:
        self.step.annotate(Level.ERROR, f"{words}\n{hint}".strip())
        return self.renewal.code or ExitCode.NOT_PUBLISHED

    def _notice(self, words: str) -> None:
        self.step.annotate(Level.NOTICE, words)

    def branch(self) -> Branch:
        """The default branch."""
        api = Api(session=self.step.session, url=self.settings.api_url, token=self.settings.github_token)
        return Branch(api=api, repository=self.settings.repository, name=self.activity.branch)

    def _writers(self) -> Sequence[Writer]:
        return (SignedCommit(), GitPush(server_url=self.settings.server_url), FileByFile())

    def _bundle(self) -> Bundle:
        measured = Git(self.settings.workspace).commit("HEAD")
        return Bundle(measured=measured, title=self.renewal.title, units=self.renewal.units, again=self._again)

    def _again(self, tree: Readable) -> tuple[Unit, ...]:
        """Decide anew where the baseline changed meanwhile; what was decided last is what counts."""
        if self.renewal.again is None:
            return ()
        self.renewal = self.renewal.again(tree)
        return self.renewal.units

    def merged(self) -> Activity:
        """Where harm that only showed after a merge is told: the pull request that was merged, if it can be found."""
        if self.renewal.code is not ExitCode.ROLLBACK or not self.activity.branch or not self.settings.github_token:
            return replace(self.activity, number=None)
        try:
            number = merged_pull(self.branch(), self.activity.head)
        except PublishError as error:
            self.step.annotate(Level.WARNING, f"the merged pull request was not told: {error}\n{error.hint}".strip())
            number = None
        return replace(self.activity, number=number)

    def told_after_merge(self) -> Renewal:
        """The renewal with a comment that says when this was found, under a key of its own."""
        result = self.renewal.result
        first, _, rest = result.comment.partition("\n")
        line = first.replace(f"key={marker_key(first)} ", f"key={marker_key(first)}.{AFTER_MERGE} ", 1)
        told = (
            f"**After the merge: {Outcome.ROLLBACK}.** Fresh passes of the merged version are worse than the baseline. "
            "The baseline was kept, so the next change is still compared with the version before. "
            "Revert this change, or repair it."
        )
        return replace(self.renewal, result=replace(result, comment=f"{line}\n{told}\n\n{rest}"))
