"""In German: panels, objects and tracking."""

from __future__ import annotations

WORK: dict[str, str] = {
    # Panels, menus and buttons.
    "Objects": "Objekte",
    "Track": "Verfolgen",
    "Matte": "Matte",
    "Results": "Ergebnisse",
    "Undo": "Zurück",
    "Redo": "Wieder",
    "Clear": "Leeren",
    "Use This Plate": "Diese Plate nehmen",
    "{sentence}; left out: {reasons}": "{sentence}; ausgelassen: {reasons}",
    "Finished Matte": "Fertige Matte",
    "Show the matte of this frame as Get Mattes will write it, not the tracked outline": (
        "Die Matte dieses Bildes zeigen, wie Mattes holen sie schreibt, statt des verfolgten Umrisses"
    ),
    "Find Things": "Dinge finden",
    "Find Alike": "Gleiches finden",
    "Clear Found Things": "Gefundenes ausblenden",
    "Show what was found no longer": "Gefundenes nicht mehr zeigen",
    "Find everything on this frame; then point at objects and click those you want": (
        "Alles auf diesem Bild finden; dann auf Objekte zeigen und die gewünschten anklicken"
    ),
    "Like the Active Object": "Wie das aktive Objekt",
    "Only what looks like it": "Nur was ihm gleicht",
    "Finding": "Suchen",
    "nothing was found on this frame: click what you want instead": (
        "auf diesem Bild wurde nichts gefunden: stattdessen anklicken, was gewünscht ist"
    ),
    "One thing was found: point at objects and click it, if you want it": (
        "Ein Ding wurde gefunden: auf Objekte zeigen und es anklicken, falls gewünscht"
    ),
    "{count} things were found: point at objects and click those you want": (
        "{count} Dinge wurden gefunden: auf Objekte zeigen und die gewünschten anklicken"
    ),
    "Both Ways": "Beidseitig",
    "Track Both Ways": "In beide Richtungen verfolgen",
    "Track Forward": "Vorwärts verfolgen",
    "Track Backward": "Rückwärts verfolgen",
    "Track Scene Range": "Szenenbereich",
    "Retrack Changed": "Geändertes neu verfolgen",
    "Bad Frame": "Problem",
    "Next Bad Frame": "Nächstes Problembild",
    "Previous Bad Frame": "Voriges Problembild",
    "Lock": "Sperren",
    "Unlock": "Entsperren",
    "Lock Frames": "Bilder sperren",
    "Unlock Frames": "Bilder entsperren",
    "started by Blender": "von Blender gestartet",
    "Point at Object, then click it in the picture": "Auf Objekt zeigen, dann im Bild anklicken",
    "Track, to follow the object through the plate": "Verfolgen, um dem Objekt durch die Plate zu folgen",
    # What is known of a frame.
    "Frame {frame}: {state}": "Bild {frame}: {state}",
    "Frame {current}, {frame} on the plate: {state}": "Bild {current}, auf der Plate {frame}: {state}",
    "1 click": "1 Klick",
    "{count} clicks": "{count} Klicks",
    "1 stroke": "1 Strich",
    "the range goes from {first} to {last}, and nothing of it lies that way: move the playhead into it, or "
    "set another range": (
        "der Bereich geht von {first} bis {last}, und in dieser Richtung liegt nichts davon: den Zeitcursor "
        "hineinbewegen, oder einen anderen Bereich setzen"
    ),
    "nothing was said about the chosen objects yet: click them in the viewer first": (
        "über die gewählten Objekte wurde noch nichts gesagt: zuerst im Viewer anklicken"
    ),
    "nothing was said yet: click an object in the viewer first": (
        "es wurde noch nichts gesagt: zuerst ein Objekt im Viewer anklicken"
    ),
    "{count} strokes": "{count} Striche",
    "a box": "ein Rahmen",
    "a mask drawn by hand": "eine von Hand gezeichnete Maske",
    "not tracked": "nicht verfolgt",
    "out of date": "veraltet",
    "present": "zu sehen",
    "uncertain": "unsicher",
    "absent": "nicht zu sehen",
    "locked": "gesperrt",
    # Objects.
    "Add Object": "Objekt hinzufügen",
    "Add an object to track on this plate": "Ein Objekt hinzufügen, das auf dieser Plate verfolgt wird",
    "Add an object first": "Zuerst ein Objekt hinzufügen",
    "Remove Object": "Objekt entfernen",
    "Remove the active object with its prompts and masks; mattes, splines and anchors that were made stay": (
        "Das aktive Objekt mit Prompts und Masken entfernen; fertige Mattes, Splines und Anker bleiben"
    ),
    "Rename Object": "Objekt umbenennen",
    "Give the active object another name: of layers and files that are made from now on": (
        "Dem aktiven Objekt einen anderen Namen geben: für Ebenen und Dateien, die ab jetzt entstehen"
    ),
    "Select Object": "Objekt auswählen",
    "Make this object the one that clicks go to": "Dieses Objekt zu dem machen, dem die Klicks gelten",
    "Name": "Name",
    "Name of the object, its layers and files": "Name des Objekts, seiner Ebenen und Dateien",
    "Name of the object, its layers and files; empty for object1, object2, …": (
        "Name des Objekts, seiner Ebenen und Dateien; leer für object1, object2, …"
    ),
    "Name of the object to select": "Name des Objekts, das ausgewählt wird",
    "Name of the object, of its layers and its files": "Name des Objekts, seiner Ebenen und seiner Dateien",
    "there is no object {name}: this plate has {names}": (
        "Es gibt kein Objekt {name}: Diese Plate hat {names}"
    ),
    "Colour": "Farbe",
    "Colour of the object's mask in the viewer": "Farbe der Maske des Objekts im Viewer",
    "Show": "Zeigen",
    "Draw the object's mask in the viewer": "Die Maske des Objekts im Viewer zeichnen",
    "What is tracked on this plate": "Was auf dieser Plate verfolgt wird",
    "Active Object": "Aktives Objekt",
    "The object that clicks go to": "Das Objekt, dem die Klicks gelten",
    "Layer": "Ebene",
    "Layer or part of an EXR that is the plate; empty for the one that its name tells": (
        "Ebene oder Teil einer EXR-Datei, die die Plate ist; leer: die, deren Name es sagt"
    ),
    "View": "Ansicht",
    "View of a stereo EXR that is the plate; empty for its first": (
        "Ansicht einer Stereo-EXR-Datei, die die Plate ist; leer: die erste"
    ),
    "Plate": "Plate",
    "Input Space": "Eingangsfarbraum",
    "OpenColorIO space of the plate; empty to let its files say": (
        "OpenColorIO-Farbraum der Plate; leer nimmt, was ihre Dateien sagen"
    ),
    # Tracking and review.
    "Track Objects": "Objekte verfolgen",
    "Follow the objects from their prompts; Esc stops and keeps what is done": (
        "Den Objekten von ihren Prompts aus folgen; Esc hält an und behält, was fertig ist"
    ),
    "Direction": "Richtung",
    "Which way to follow the objects": "Wohin den Objekten gefolgt wird",
    "Forward": "Vorwärts",
    "From this frame to later ones": "Von diesem Bild zu späteren",
    "Backward": "Rückwärts",
    "From this frame to earlier ones": "Von diesem Bild zu früheren",
    "Both": "Beide",
    "From every prompt, both ways": "Von jedem Prompt aus, in beide Richtungen",
    "Extent": "Umfang",
    "How far to follow the objects": "Wie weit den Objekten gefolgt wird",
    "Clip": "Clip",
    "To the ends of the plate": "Bis zu den Enden der Plate",
    "One Frame": "Ein Bild",
    "To the next frame, and the time cursor with it": "Zum nächsten Bild, und der Zeitcursor mit",
    "Range": "Bereich",
    "From the first to the last frame given here": "Vom ersten bis zum letzten Bild, die hier stehen",
    "First": "Erstes",
    "Last": "Letztes",
    "Scene frame at which a range begins": "Bild der Szene, bei dem ein Bereich beginnt",
    "Scene frame at which a range ends": "Bild der Szene, bei dem ein Bereich endet",
    "Only Active": "Nur aktives",
    "Leave the other objects as they are": "Die anderen Objekte lassen, wie sie sind",
    "Only Changed": "Nur Geändertes",
    "Only frames that prompts have overtaken since they were tracked": (
        "Nur Bilder, die durch Prompts veraltet sind, seit sie verfolgt wurden"
    ),
    "Stop": "Anhalten",
    "Stop what runs for this plate and keep what is done": (
        "Anhalten, was für diese Plate läuft, und behalten, was fertig ist"
    ),
    "Nothing was said yet: click an object in the viewer first": (
        "Noch ist nichts gesagt: zuerst im Viewer ein Objekt anklicken"
    ),
    "Tracking": "Verfolgen",
    "Tracked": "Verfolgt",
    "Tracked up to the cut at frame {cuts}: click the object again there": (
        "Bis zum Schnitt bei Bild {cuts} verfolgt: das Objekt dort noch einmal anklicken"
    ),
    "{job}: {done} of {total}": "{job}: {done} von {total}",
    "{job} …": "{job} …",
    "the server is full, and this program holds {count} of its sessions itself: close the "
    "session of another plate": "der Server ist voll, und {count} seiner Sitzungen hält dieses Programm "
    "selbst: Schließe die Sitzung einer anderen Plate",
    "The server is full: number {place} in line": "Der Server ist voll: Nummer {place} in der Reihe",
    "The server is full: number {place} in line, about {seconds} s": (
        "Der Server ist voll: Nummer {place} in der Reihe, etwa {seconds} s"
    ),
    "{progress}.  Esc: stop and keep what is done": "{progress}.  Esc: anhalten und behalten, was fertig ist",
    "{job}: stopping after this frame": "{job}: hält nach diesem Bild an",
    "{job}: cancelled, what was done is kept": "{job}: abgebrochen, Fertiges bleibt erhalten",
    "Something is still running for this plate: wait for it, or cancel it with Esc": (
        "Für diese Plate läuft noch etwas: abwarten, oder mit Esc abbrechen"
    ),
    "the range lies outside the plate, which has frames {first} to {last}: move the time cursor onto the "
    "plate, or set another range": (
        "Der Bereich liegt außerhalb der Plate, die die Bilder {first} bis {last} hat: den Zeitcursor "
        "auf die Plate setzen, oder einen anderen Bereich wählen"
    ),
    "Go to the next frame where an object is uncertain or its mask is out of date": (
        "Zum nächsten Bild gehen, auf dem ein Objekt unsicher oder seine Maske veraltet ist"
    ),
    "Search before this frame": "Vor diesem Bild suchen",
    "No bad frame before this one": "Kein Problembild vor diesem",
    "No bad frame after this one": "Kein Problembild nach diesem",
    "{name} is out of date: track again": "{name} ist veraltet: neu verfolgen",
    "{name} has no mask here: track it, or click it": "{name} hat hier keine Maske: verfolgen oder anklicken",
    "something that looks like {name} is near: check it": (
        "etwas, das wie {name} aussieht, ist nahe: nachsehen"
    ),
    "{name} is uncertain: check it": "{name} ist unsicher: bitte prüfen",
    "something that looks like {name} came near on {where}": (
        "etwas, das wie {name} aussieht, kam nahe auf {where}"
    ),
    "things that look like {name} were near on {where}": (
        "Dinge, die wie {name} aussehen, waren nahe auf {where}"
    ),
    "{name} was gone for long on {where}": "{name} war lange weg auf {where}",
    "{sentence}; if it went wrong, try the policy {policy} and track again": (
        "{sentence}; wenn es misslang, die Strategie {policy} versuchen und neu verfolgen"
    ),
    "{sentence}; if it went wrong, {key} tries the policy {policy}: then track again": (
        "{sentence}; wenn es misslang, versucht {key} die Strategie {policy}: danach neu verfolgen"
    ),
    "{sentence}. {advice}": "{sentence}. {advice}",
    "Try Policy": "Strategie versuchen",
    "Try Policy (Alt Shift .)": "Strategie versuchen (Alt Umschalt .)",
    "Track the active object with the policy that may help it, from the next track on": (
        "Das aktive Objekt ab dem nächsten Verfolgen mit der Strategie verfolgen, die ihm helfen kann"
    ),
    "nothing was seen of {name} that another policy may help with": (
        "von {name} wurde nichts gesehen, wobei eine andere Strategie helfen könnte"
    ),
    "{name} is tracked with the policy {policy} from now on: track again; undo takes it back": (
        "{name} wird von jetzt an mit der Strategie {policy} verfolgt: neu verfolgen; "
        "Rückgängig nimmt es zurück"
    ),
    "Keep tracking from changing frames of the active object, or let it": (
        "Bilder des aktiven Objekts vor Änderung durch das Verfolgen schützen, oder freigeben"
    ),
    "Scene frame at which the range begins": "Bild der Szene, bei dem der Bereich beginnt",
    "Scene frame at which the range ends": "Bild der Szene, bei dem der Bereich endet",
    "Locked": "Gesperrt",
    "Off to let tracking change the range": "Aus, damit das Verfolgen den Bereich ändern darf",
    "Read All": "Alles lesen",
    "Show all of what masklet said last, however long it is": (
        "Ganz zeigen, was masklet zuletzt gesagt hat, wie lang es auch ist"
    ),
    "the states kept in this file cannot be read: track again": (
        "Die Zustände in dieser Datei sind nicht lesbar: neu verfolgen"
    ),
    "Track Again": "Neu verfolgen",
    "Every frame is up to date: there was nothing to track": (
        "Jedes Bild ist aktuell: Es gab nichts zu verfolgen"
    ),
    "Writing into Blender: {done} of {total}": "In Blender schreiben: {done} von {total}",
}
