"""Following objects from frame to frame: what they read, what the network makes of it, what is remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from masklet_server.engine.absence import AbsenceRule, emptied
from masklet_server.engine.accelerate import Layout
from masklet_server.engine.company import (
    Company,
    RivalFinder,
    contested,
    place_by_likeness,
    place_by_masks,
)
from masklet_server.engine.features import FeatureCache
from masklet_server.engine.handover import Likeness, hand_over
from masklet_server.engine.hypotheses import Hypotheses, NextFrame
from masklet_server.engine.memory_bank import MemoryBank
from masklet_server.engine.object_memory import FrameMemory, ObjectMemory
from masklet_server.engine.policies.appearance import RIVAL_LIKENESS, Appearance
from masklet_server.engine.policies.choosing import choose, forked, kept_to_path
from masklet_server.engine.policies.legs import Note
from masklet_server.engine.policies.paths import Branch, branches
from masklet_server.engine.presence import CALIBRATIONS
from masklet_server.engine.profile import Profile
from masklet_server.engine.recall import Recall
from masklet_server.engine.recollection import Recollection
from masklet_server.model.network import Decoded, ImageFeatures, Network
from masklet_server.tracking import RIVAL_FROM, ObjectFrame


class Follower:
    """Tracks a frame, all objects in one batch.

    Args:
        network: To track with.
        features: Of the clip's pictures.
        bank: Reads and writes memories.
        recollection: Says which.
        finder: Finds rivals to track along.
        profile: How to use the network over time.
        layout: Sizes of what goes to the network.
        absence: When an object counts as gone; None for the official rule.
    """

    def __init__(
        self,
        network: Network,
        features: FeatureCache,
        bank: MemoryBank,
        recollection: Recollection,
        finder: RivalFinder,
        profile: Profile,
        layout: Layout,
        absence: AbsenceRule | None,
    ) -> None:
        self._network = network
        self._features = features
        self._bank = bank
        self._recollection = recollection
        self._finder = finder
        self._profile = profile
        self._layout = layout
        self._absence = absence

    def follow(
        self, frame: int, objects: Sequence[ObjectMemory], *, backward: bool, since: int | None
    ) -> Mapping[int, Sequence[ObjectFrame]]:
        """Results by object id; memories change only once all of the work has succeeded.

        The last of each is that of ``frame``. Those before it are of earlier frames, of an object that is
        followed on several paths: another one than before explains what there is the best.
        """
        features = self._features.features(frame)
        step = -1 if backward else 1
        self._features.read_ahead(frame + step)
        self._features.encode_beside(frame + step, then=frame + 2 * step)
        several = [self._hypotheses(frame, each, backward=backward, since=since) for each in objects]
        companies = [self._company(frame, each, backward=backward, since=since) for each in objects]
        rows: list[ObjectMemory] = []
        parties: list[tuple[int, int]] = []
        for memory, hypotheses, company in zip(objects, several, companies, strict=True):
            rivals = [] if company is None else [rival.memory for rival in company.rivals]
            parties.append((len(rows), len(rivals)))
            rows += [memory, *rivals] if hypotheses is None else hypotheses.memories
        recalls = [self._recollection.of(frame, row, backward=backward, since=since) for row in rows]
        decoded, written = self._decode_in_batches(features, rows, recalls, backward=backward)
        legs = [row.legs.get(backward) for row in rows]
        decoded = contested(decoded, parties, [None if leg is None else leg.expected for leg in legs])
        found: list[list[Branch]] = [[] for _ in objects]
        if any(several):
            found, decoded, rows = self._branched(decoded, objects, rows, several)
        likeness = self._likeness(features, rows, frame)
        frames, _ = hand_over(
            decoded,
            [row.object_id for row in rows],
            frame,
            self._profile,
            prompted=False,
            calibration=CALIBRATIONS.get(self._network.config.name),
            likeness=likeness,
            meanwhile=lambda: self._features.encode_ahead(frame + step, then=frame + 2 * step),
        )
        kept: Sequence[FrameMemory | None] = written
        if self._profile.memories == "results":
            kept = self._written(features, rows, frames, backward=backward)
        made = list(zip(frames, kept, strict=True))
        results: dict[int, Sequence[ObjectFrame]] = {}
        for memory, hypotheses, company, ways in zip(objects, several, companies, found, strict=True):
            memory.tracked.add(frame, backward=backward)
            if hypotheses is not None:
                mine, made = made[: len(ways)], made[len(ways) :]
                memory.hypotheses[backward] = hypotheses
                results[memory.object_id] = hypotheses.advance(
                    frame, [NextFrame(way, *each) for way, each in zip(ways, mine, strict=True)]
                )
                continue
            at = len(frames) - len(made)
            (result, new), *made = made
            memory.held.pop(frame, None)
            if new is not None:
                new.score = result.presence_logit
                memory.held[frame] = new
            leg = memory.legs.get(backward)
            if leg is not None:
                leg.add(Note.of(result))
            results[memory.object_id] = (result,)
            if company is not None:
                count = len(company.rivals)
                mine, made = made[:count], made[count:]
                memory.company[backward] = company
                company.advance(frame, result, mine)
                if result.rival >= RIVAL_FROM and company.may_try(frame, memory.policy.rivals):
                    known = [each for each, _ in mine]
                    if likeness is None:
                        place = place_by_masks((decoded.logits[at] > 0).cpu().numpy(), result, known)
                    else:
                        place = place_by_likeness(features, likeness.maps[at], likeness.least, result, known)
                    rival = self._finder.find(features, place, result)
                    if rival is not None:
                        company.rivals.append(rival)
                    company.tried(frame)
        return results

    def _written(
        self,
        features: ImageFeatures,
        rows: Sequence[ObjectMemory],
        frames: Sequence[ObjectFrame],
        *,
        backward: bool,
    ) -> list[FrameMemory | None]:
        """What is remembered of results; None of those that a policy will never read."""
        legs = [row.legs.get(backward) if row.policy.selective else None for row in rows]
        wanted = [
            leg is None or leg.remembers(Note.of(result)) for leg, result in zip(legs, frames, strict=True)
        ]
        worth = [result for result, is_wanted in zip(frames, wanted, strict=True) if is_wanted]
        written = iter(self._bank.write_results(features, worth) if worth else ())
        return [next(written) if is_wanted else None for is_wanted in wanted]

    def _company(
        self, frame: int, memory: ObjectMemory, *, backward: bool, since: int | None
    ) -> Company | None:
        """The rivals that are tracked along with an object; None where none ever are."""
        if not memory.policy.rivals:
            return None
        known = memory.company.get(backward)
        source = self._recollection.way(frame, memory, backward=backward, since=since).source
        if source is None:
            return None
        if isinstance(known, Company) and known.leads(frame, source, since):
            return known
        return Company((source, since), backward, source)

    def _hypotheses(
        self, frame: int, memory: ObjectMemory, *, backward: bool, since: int | None
    ) -> Hypotheses | None:
        """The accounts that are followed of an object; None where there is a single one for good."""
        if memory.policy.paths < 2:
            return None
        known = memory.hypotheses.get(backward)
        way = self._recollection.way(frame, memory, backward=backward, since=since)
        if isinstance(known, Hypotheses) and known.leads(frame, way.source, since):
            return known
        leg = self._recollection.leg(frame, memory, backward=backward, since=since)
        return None if leg is None else Hypotheses.begun(memory, leg, backward=backward)

    def _branched(
        self,
        decoded: Decoded,
        objects: Sequence[ObjectMemory],
        rows: Sequence[ObjectMemory],
        several: Sequence[Hypotheses | None],
    ) -> tuple[list[list[Branch]], Decoded, list[ObjectMemory]]:
        """By object its branches, none where there is one account; what was decoded, and whose, by branch."""
        ious = decoded.ious.float().cpu().numpy()
        inside = (decoded.logits > 0).cpu().numpy()
        found: list[list[Branch]] = []
        picks: list[tuple[int, int | None]] = []
        at = 0
        for memory, hypotheses in zip(objects, several, strict=True):
            count = 1 if hypotheses is None else len(hypotheses.accounts)
            part = slice(at, at + count)
            if hypotheses is None:
                found.append([])
                picks.append((at, None))
            else:
                scores = [account.score for account in hypotheses.accounts]
                found.append(branches(scores, ious[part], inside[part], limit=memory.policy.paths))
                picks += [(at + branch.parent, branch.mask) for branch in found[-1]]
            at = part.stop
        return found, forked(self._network, decoded, picks), [rows[row] for row, _ in picks]

    def _likeness(
        self, features: ImageFeatures, objects: Sequence[ObjectMemory], frame: int
    ) -> Likeness | None:
        """Where the picture looks like the objects on their nearest prompted frames; None if unknown."""
        least = RIVAL_LIKENESS.get(self._network.config.name)
        if least is None or self._profile.trail != "leg":
            return None
        nothing = features.embedding.new_zeros(features.embedding.shape[-2:])
        appearances = [self.appearance(memory, frame) for memory in objects]
        # Accounts of one object look for the same thing: they are compared with the picture once.
        known = {each: each.alike(features) for each in dict.fromkeys(appearances) if each is not None}
        maps = [nothing if each is None else known[each] for each in appearances]
        return Likeness(torch.stack(maps), least)

    def appearance(self, memory: ObjectMemory, frame: int) -> Appearance | None:
        """What the object looks like on its prompted frame nearest to ``frame``."""
        nearest = min(memory.prompted, key=lambda prompt: (abs(prompt - frame), prompt))
        return self._bank.appearance(memory.prompted[nearest])

    def _decode_in_batches(
        self,
        features: ImageFeatures,
        objects: Sequence[ObjectMemory],
        recalls: Sequence[Recall],
        *,
        backward: bool,
    ) -> tuple[Decoded, list[FrameMemory]]:
        """Masks of all objects, and what to remember of them."""
        decoded: list[Decoded] = []
        written: list[FrameMemory] = []
        start = 0
        for count in self._layout.batches(len(objects)):
            part = slice(start, start + count)
            start += count
            found = self._network.decode(
                features,
                self._layout.padded(self._bank.attend(features, objects[part], recalls[part])),
                points=None,
                labels=None,
                mask_logits=None,
                multimask=True,
                stability_fallback=self._profile.stability_fallback,
            )
            legs = [memory.legs.get(backward) for memory in objects[part]]
            found = kept_to_path(choose(self._network, found, legs), legs)
            if self._absence is not None:
                found = emptied(found, self._absence.seen_above, self._network.no_obj_ptr)
            if self._profile.memories == "network":
                written += self._bank.write_tracked(features, found, count=count)
            decoded.append(found.first(count))
        return Decoded.joined(decoded), written
