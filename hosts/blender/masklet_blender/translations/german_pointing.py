"""In German: saying what the object is, and finding it again."""

from __future__ import annotations

POINTING: dict[str, str] = {
    # Pointing.
    "Point at Object": "Auf Objekt zeigen",
    "Click what belongs to the object, with Shift what does not; drag a box, Ctrl-drag a stroke": (
        "Anklicken, was zum Objekt gehört, mit Umschalt, was nicht; einen Rahmen ziehen, mit Strg "
        "einen Strich"
    ),
    "Click: part of the object.  Shift: not.  Drag: box.  Ctrl-drag: stroke, [ ] its width.  "
    "X: clear frame.  Ctrl Z: undo.  Esc: done": (
        "Klick: gehört dazu.  Umschalt: nicht.  Ziehen: Rahmen.  Strg-Ziehen: Strich, [ ] seine Breite.  "
        "X: Bild leeren.  Strg Z: rückgängig.  Esc: fertig"
    ),
    "Strokes are {width} pixels wide": "Striche sind {width} Pixel breit",
    "Scribble on Object": "Objekt überstreichen",
    "Draw a stroke over the object, or over what must not be part of it": (
        "Einen Strich über das Objekt ziehen, oder über das, was nicht dazugehört"
    ),
    "Points": "Punkte",
    "Along the stroke, in pixels of the plate from its top left corner, as x,y/x,y/x,y": (
        "Den Strich entlang, in Pixeln der Plate von oben links, als x,y/x,y/x,y"
    ),
    "Width": "Breite",
    "Of the brush, in pixels of the plate": "Des Pinsels, in Pixeln der Plate",
    "{text} is no stroke: write its points as x,y/x,y/x,y": (
        "{text} ist kein Strich: die Punkte als x,y/x,y/x,y schreiben"
    ),
    # Finding again.
    "Find Again": "Wiederfinden",
    "Finding again": "Wiederfinden …",
    "Look where the active object may be on this frame, after an absence or a cut; nothing is said yet": (
        "Nachsehen, wo das aktive Objekt auf diesem Bild sein kann, nach einer Abwesenheit oder einem "
        "Schnitt; gesagt wird damit noch nichts"
    ),
    "Take Place": "Stelle nehmen",
    "Say that the object is at this place, with a click; track then, it goes both ways from there": (
        "Mit einem Klick sagen, dass das Objekt an dieser Stelle ist; danach verfolgen, es geht von dort in "
        "beide Richtungen"
    ),
    "Number": "Nummer",
    "Of the place, the likeliest is 1": "Der Stelle, die wahrscheinlichste ist 1",
    "Press Find Again first, on a frame that shows the object": (
        "Zuerst Wiederfinden drücken, auf einem Bild, das das Objekt zeigt"
    ),
    "None of Them": "Keine davon",
    "Show the places that were found no longer": "Die gefundenen Stellen nicht mehr zeigen",
    "nothing is known of this object yet: click it on a frame that shows it": (
        "Über dieses Objekt ist noch nichts bekannt: auf einem Bild anklicken, das es zeigt"
    ),
    "something is said about {name} on frame {frame} already: go to a frame without prompts, or "
    "clear this one": (
        "Über {name} ist auf Bild {frame} schon etwas gesagt: zu einem Bild ohne Prompts gehen, oder dieses "
        "leeren"
    ),
    "there is no such place: press Find Again on this frame": (
        "Diese Stelle gibt es nicht: auf diesem Bild Wiederfinden drücken"
    ),
    "something is said about {name} on frame {frame} now: clear the frame, or go on from it": (
        "Über {name} ist auf Bild {frame} jetzt etwas gesagt: das Bild leeren, oder von dort weitermachen"
    ),
    "Nothing on frame {frame} looks like {name}: click it, or look on another frame": (
        "Auf Bild {frame} sieht nichts wie {name} aus: anklicken, oder auf einem anderen Bild nachsehen"
    ),
    "One place on frame {frame} looks like {name}: take it, then track": (
        "Eine Stelle auf Bild {frame} sieht wie {name} aus: nehmen, dann verfolgen"
    ),
    "{count} places on frame {frame} look like {name}, the likeliest is 1: take one, then track": (
        "{count} Stellen auf Bild {frame} sehen wie {name} aus, die wahrscheinlichste ist 1: eine nehmen, "
        "dann verfolgen"
    ),
    "{number}: {percent} % alike": "{number}: {percent} % ähnlich",
    "Done Pointing": "Fertig gezeigt",
    "Give the mouse back to Blender": "Die Maus an Blender zurückgeben",
    "Point in the Movie Clip Editor or the Image Editor": "Im Movie-Clip-Editor oder im Bildeditor zeigen",
    "point at the picture in the Movie Clip Editor or the Image Editor": (
        "Im Movie-Clip-Editor oder im Bildeditor auf das Bild zeigen"
    ),
    "the picture cannot be seen: load the clip first": "Das Bild ist nicht zu sehen: zuerst den Clip laden",
    "Click Object": "Objekt anklicken",
    "Click on the object, or with Shift on what must not be part of it": (
        "Auf das Objekt klicken, oder mit Umschalt auf das, was nicht dazugehört"
    ),
    "X": "X",
    "Y": "Y",
    "From the plate's left edge, in pixels": "Vom linken Rand der Plate, in Pixeln",
    "From the plate's top edge, in pixels": "Vom oberen Rand der Plate, in Pixeln",
    "Belongs to the Object": "Gehört zum Objekt",
    "Off for what must not be part of it": "Aus für das, was nicht dazugehört",
    "Frame": "Bild",
    "The plate's own frame number; left alone, the frame that shows": (
        "Die Bildnummer der Plate; ohne Angabe das Bild, das zu sehen ist"
    ),
    "Box Around Object": "Rahmen um Objekt",
    "Say that the object fills a rectangle": "Sagen, dass das Objekt ein Rechteck füllt",
    "Left": "Links",
    "Top": "Oben",
    "Right": "Rechts",
    "Bottom": "Unten",
    "Left edge of the box, in pixels of the plate": "Linke Kante des Rahmens, in Pixeln der Plate",
    "Top edge of the box, in pixels of the plate": "Obere Kante des Rahmens, in Pixeln der Plate",
    "Right edge of the box, in pixels of the plate": "Rechte Kante des Rahmens, in Pixeln der Plate",
    "Bottom edge of the box, in pixels of the plate": "Untere Kante des Rahmens, in Pixeln der Plate",
    "Clear Prompts on Frame": "Prompts auf dem Bild löschen",
    "Take back all clicks, strokes and the box of the active object on this frame": (
        "Alle Klicks, Striche und den Rahmen des aktiven Objekts auf diesem Bild zurücknehmen"
    ),
    "nothing is said about {name} on frame {frame}: go to a marked frame": (
        "Über {name} ist auf Bild {frame} nichts gesagt: zu einem markierten Bild gehen"
    ),
    "the click lies outside the picture: click inside it": (
        "Der Klick liegt außerhalb des Bildes: ins Bild klicken"
    ),
    "the box lies outside the picture: draw it inside, from corner to corner": (
        "Der Rahmen liegt außerhalb des Bildes: im Bild von Ecke zu Ecke ziehen"
    ),
    "frame {frame} is locked for {name}: unlock it first, then correct it": (
        "Bild {frame} ist für {name} gesperrt: zuerst entsperren, dann korrigieren"
    ),
    "Undo Prompt": "Prompt rückgängig",
    "Take back the last thing that was said to masklet about this plate": (
        "Zurücknehmen, was masklet zuletzt über diese Plate gesagt wurde"
    ),
    "Redo Prompt": "Prompt wiederholen",
    "Say again what was taken back last": "Noch einmal sagen, was zuletzt zurückgenommen wurde",
    "Nothing was said since this file was opened": "Seit diese Datei offen ist, wurde nichts gesagt",
    "there is nothing to take back since this plate's session was opened": (
        "Seit die Sitzung dieser Plate offen ist, gibt es nichts zurückzunehmen"
    ),
    "there is nothing to make again since this plate's session was opened": (
        "Seit die Sitzung dieser Plate offen ist, gibt es nichts zu wiederholen"
    ),
}
