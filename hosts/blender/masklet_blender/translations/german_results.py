"""In German: the matte's settings, and everything that is taken home."""

from __future__ import annotations

RESULTS: dict[str, str] = {
    # Matte settings.
    "Grow": "Erweitern",
    "Move the matte's edge outwards, in pixels; negative shrinks": (
        "Den Rand der Matte nach außen schieben, in Pixeln; negativ nach innen"
    ),
    "Feather": "Weiche Kante",
    "Soften the matte to either side of its edge, in pixels": (
        "Die Matte beiderseits ihres Randes weich machen, in Pixeln"
    ),
    "Fill Holes": "Löcher füllen",
    "Fill holes of up to this area, in pixels": "Löcher bis zu dieser Fläche füllen, in Pixeln",
    "Remove Specks": "Flecken entfernen",
    "Remove pieces of up to this area, in pixels": "Stücke bis zu dieser Fläche entfernen, in Pixeln",
    "Reduce Flicker": "Flackern dämpfen",
    "Even out flicker that the plate's motion does not explain, in mattes and masks": (
        "Flackern in Mattes und Masken ausgleichen, das sich nicht aus der Bewegung der Plate erklärt"
    ),
    "Clip Black": "Schwarz abschneiden",
    "Coverage up to here becomes 0": "Deckung bis hierher wird 0",
    "Clip White": "Weiß abschneiden",
    "Coverage from here on becomes 1": "Deckung ab hier wird 1",
    "Gamma": "Gamma",
    "Gamma of the coverage in between; above 1 makes it denser": (
        "Gamma der Deckung dazwischen; über 1 macht sie dichter"
    ),
    "No Overlap": "Keine Überlappung",
    "Share no pixel with other objects that have this on": (
        "Kein Pixel mit anderen Objekten teilen, bei denen dies an ist"
    ),
    "Invert": "Umkehren",
    "Turn the matte inside out": "Innen und außen der Matte vertauschen",
    # Mattes.
    "Get Mattes": "Mattes holen",
    "Write the mattes at the plate's size and load them as an image sequence": (
        "Die Mattes in der Größe der Plate schreiben und als Bildsequenz laden"
    ),
    "Getting mattes": "Mattes holen",
    "Folder": "Ordner",
    "Where the mattes go, a folder for each object; empty for the folder in the preferences": (
        "Wohin die Mattes kommen, ein Ordner je Objekt; leer für den Ordner aus den Einstellungen"
    ),
    "Format": "Format",
    "What files hold the mattes": "In welchen Dateien die Mattes liegen",
    "EXR": "EXR",
    "16-bit float OpenEXR, the full range of coverage": (
        "OpenEXR mit 16-Bit-Gleitkomma, der volle Umfang der Deckung"
    ),
    "PNG": "PNG",
    "16-bit PNG, for tools that read no OpenEXR": "16-Bit-PNG, für Programme, die kein OpenEXR lesen",
    "All Objects": "Alle Objekte",
    "Not only the active one": "Nicht nur das aktive",
    "Mattes of {count} frames are in the image {names}": "Mattes von {count} Bildern liegen im Bild {names}",
    "{name} has no mask yet: track it, then get its mattes": (
        "{name} hat noch keine Maske: verfolgen, dann die Mattes holen"
    ),
    "{name} has no mattes yet: get them first": "{name} hat noch keine Mattes: zuerst holen",
    "View Matte": "Matte ansehen",
    "Show the matte of the active object in this Image Editor, on the frames of the plate": (
        "Die Matte des aktiven Objekts in diesem Bildeditor zeigen, auf den Bildern der Plate"
    ),
    "Mattes are shown in the Image Editor": "Mattes werden im Bildeditor gezeigt",
    "Get the mattes first": "Zuerst die Mattes holen",
    "Mattes": "Mattes",
    "Where the mattes of this object lie": "Wo die Mattes dieses Objekts liegen",
    "The mattes of {names} are no longer in {folder}: get them again, or bring the folder back": (
        "Die Mattes von {names} liegen nicht mehr in {folder}: neu holen, oder den Ordner zurückbringen"
    ),
    "no mattes {names} lie in {folder}: get them again, or bring the folder back": (
        "In {folder} liegen keine Mattes {names}: neu holen, oder den Ordner zurückbringen"
    ),
    "{name} has no frame number, so it is no matte of a clip: export it again": (
        "{name} hat keine Bildnummer und ist deshalb keine Matte eines Clips: neu exportieren"
    ),
    # Splines.
    "Make Splines": "Splines erstellen",
    "Make animated splines of the active object in a Mask, a layer for each piece": (
        "Animierte Splines des aktiven Objekts in einer Maske erstellen, eine Ebene für jedes Stück"
    ),
    "Making splines": "Splines erstellen",
    "Tolerance": "Toleranz",
    "How far a spline may lie from the matte's edge, in pixels of the plate": (
        "Wie weit ein Spline vom Rand der Matte abweichen darf, in Pixeln der Plate"
    ),
    "{sentence}. {told}": "{sentence}. {told}",
    # Publishing.
    "Publish": "Veröffentlichen",
    "Publishing": "Veröffentlichen …",
    "Making mattes again": "Mattes neu machen",
    "Check the mattes of this plate and publish them as the next version": (
        "Die Mattes dieser Plate prüfen und als nächste Version veröffentlichen"
    ),
    "Comment": "Kommentar",
    "For those who take the version": "Für die, die die Version nehmen",
    "Right So": "Richtig so",
    "I have looked at these frames: they are right so": "Ich habe diese Bilder angesehen: sie stimmen",
    "I have looked: it is right so": "Ich habe nachgesehen: so ist es richtig",
    "Make the Mattes Again": "Mattes neu machen",
    "Track and write them again from the prompts of their run, instead of publishing": (
        "Sie aus den Prompts ihres Laufs neu verfolgen und schreiben, statt zu veröffentlichen"
    ),
    "Nothing was published: {reason}": "Es wurde nichts veröffentlicht: {reason}",
    "The mattes were made again: publish them now": ("Die Mattes wurden neu gemacht: jetzt veröffentlichen"),
    "Splines are in the mask {name}: {points} points, {keys} keyframes, within {distance_px} pixels of "
    "the matte": (
        "Splines liegen in der Maske {name}: {points} Punkte, {keys} Keyframes, höchstens {distance_px} "
        "Pixel neben der Matte"
    ),
    "Mask Active Strip": "Aktiven Strip maskieren",
    "Let the active strip of the Video Sequencer be seen through the splines of the active object only": (
        "Den aktiven Strip des Video-Sequencers nur durch die Splines des aktiven Objekts zeigen"
    ),
    "Select a strip in the Video Sequencer first": "Zuerst einen Strip im Video-Sequencer auswählen",
    "Make splines first": "Zuerst Splines erstellen",
    "{strip} is seen through {mask}": "{strip} ist durch {mask} zu sehen",
    "the strip {name} has no picture to mask: select another": (
        "Der Strip {name} hat kein Bild zum Maskieren: einen anderen auswählen"
    ),
    "Blender has no window here, and keys of masks need one: open a file that has a window": (
        "Blender hat hier kein Fenster, und Keyframes von Masken brauchen eines: eine Datei mit Fenster "
        "öffnen"
    ),
    # Anchors.
    "Make Anchor": "Anker erstellen",
    "Follow the active object with an Empty or a track, for effects to hang on": (
        "Dem aktiven Objekt mit einem Empty oder einem Track folgen, um Effekte daran zu hängen"
    ),
    "Making an anchor": "Anker erstellen",
    "Follow": "Folgt",
    "What the anchor follows": "Was der Anker verfolgt",
    "Centre": "Mitte",
    "The middle of the matte": "Die Mitte der Matte",
    "The highest point of the matte": "Der höchste Punkt der Matte",
    "The lowest point of the matte": "Der tiefste Punkt der Matte",
    "The leftmost point of the matte": "Der Punkt der Matte ganz links",
    "The rightmost point of the matte": "Der Punkt der Matte ganz rechts",
    "Box": "Rahmen",
    "The box around the matte, with its size": "Der Rahmen um die Matte, mit seiner Größe",
    "Surface": "Fläche",
    "The surface inside the matte: place, rotation and scale": (
        "Die Fläche in der Matte: Ort, Drehung und Größe"
    ),
    "Surface, Sheared": "Fläche, geschert",
    "The surface inside the matte, shear as well": "Die Fläche in der Matte, auch ihre Scherung",
    "Plane": "Ebene",
    "A flat surface inside the matte, in perspective": "Eine ebene Fläche in der Matte, perspektivisch",
    "Point": "Punkt",
    "The place on the surface that was clicked on this frame": (
        "Die Stelle der Fläche, die auf diesem Bild angeklickt wurde"
    ),
    "As": "Als",
    "What the anchor becomes in Blender": "Was der Anker in Blender wird",
    "Empty": "Empty",
    "An Empty with keyframes: place, rotation and scale": "Ein Empty mit Keyframes: Ort, Drehung und Größe",
    "Clip Track": "Track im Clip",
    "A track of the clip, as if Blender had tracked it": (
        "Ein Track des Clips, als hätte Blender ihn verfolgt"
    ),
    "Track and Empty": "Track und Empty",
    "A track, and an Empty that follows it: place only": (
        "Ein Track und ein Empty, das ihm folgt: nur der Ort"
    ),
    "While Hidden": "Wenn verdeckt",
    "What the anchor does while the object cannot be seen": (
        "Was der Anker tut, solange das Objekt nicht zu sehen ist"
    ),
    "Hold": "Halten",
    "Stay where the object was seen last": "Dort bleiben, wo das Objekt zuletzt zu sehen war",
    "Extrapolate": "Fortsetzen",
    "Go on as the object moved, slowing down": "Weiter wie das Objekt zuletzt, immer langsamer",
    "Fade": "Ausblenden",
    "Hold, and fade out": "Halten und ausblenden",
    "Cut": "Wegschneiden",
    "Hold, and cut out": "Halten und hart ausschalten",
    "In Front of Camera": "Vor der Kamera",
    "Where the scene's camera sees the object; off: on an upright plate at the origin": (
        "Wo die Kamera der Szene das Objekt sieht; aus: auf einer stehenden Plate im Ursprung"
    ),
    "Smoothing": "Glättung",
    "Frames to smooth over; 0 for none": "Über wie viele Bilder geglättet wird; 0 für keines",
    "The anchor is {name}": "Der Anker ist {name}",
    "The anchor is {name}; on {count} frames the object was not seen or not tracked, and it does "
    "there what While Hidden says": (
        "Der Anker ist {name}; auf {count} Bildern war das Objekt nicht zu sehen oder nicht verfolgt, und "
        "dort tut er, was bei Wenn verdeckt steht"
    ),
    "The anchor is {name}; it leaps where the object comes back": (
        "Der Anker ist {name}; er springt, wo das Objekt wiederkommt"
    ),
    "The anchor is the track {name}": "Der Anker ist der Track {name}",
    "a point needs a click on this frame: click the place to follow first": (
        "Ein Punkt braucht einen Klick auf diesem Bild: zuerst die Stelle anklicken, der gefolgt wird"
    ),
    "tracks belong to clips: open the plate in the Movie Clip Editor": (
        "Tracks gehören zu Clips: die Plate im Movie-Clip-Editor öffnen"
    ),
    "an Empty follows a track before a camera: add a camera to the scene first": (
        "Ein Empty folgt einem Track vor einer Kamera: zuerst der Szene eine Kamera geben"
    ),
    "the object of {name} is never seen, so there is nothing to follow": (
        "Das Objekt von {name} ist nie zu sehen, also gibt es nichts zu verfolgen"
    ),
    "the track {name} is locked: unlock it to bring it up to date": (
        "Der Track {name} ist gesperrt: entsperren, um ihn zu erneuern"
    ),
    "Attach Selected Objects": "Auswahl anhängen",
    "Hang the selected objects of the scene on the active object's anchor, from where they are now": (
        "Die ausgewählten Objekte der Szene an den Anker des aktiven Objekts hängen, von dort aus, wo "
        "sie sind"
    ),
    "Make an anchor as an Empty first": "Zuerst einen Anker als Empty erstellen",
    "Select the objects to attach in the 3D View": "Im 3D-Fenster auswählen, was angehängt wird",
    "{empty} carries {names} now": "{empty} trägt jetzt {names}",
    "{name} cannot hang on itself: select another object": (
        "{name} kann nicht an sich selbst hängen: ein anderes Objekt auswählen"
    ),
    # Compositing.
    "Add to Compositor": "In den Compositor",
    "Add a node group that cuts the active object out of the plate, or give it the newest matte": (
        "Eine Node-Gruppe hinzufügen, die das aktive Objekt freistellt, oder ihr die neueste Matte geben"
    ),
    "What cuts the object out": "Womit das Objekt freigestellt wird",
    "Best There Is": "Das beste, was da ist",
    "Mattes if they are here, else splines": "Mattes, wenn es welche gibt, sonst Splines",
    "The image sequence": "Die Bildsequenz",
    "Splines": "Splines",
    "The mask": "Die Maske",
    "The compositor takes clips: open the plate in the Movie Clip Editor": (
        "Der Compositor nimmt Clips: die Plate im Movie-Clip-Editor öffnen"
    ),
    "Get mattes or make splines first": "Zuerst Mattes holen oder Splines erstellen",
    "{name} has no such matte yet: get mattes or make splines first": (
        "{name} hat so eine Matte noch nicht: zuerst Mattes holen oder Splines erstellen"
    ),
    "{name} is in the compositor": "{name} ist im Compositor",
    # Prompt documents.
    "Export Prompts": "Prompts exportieren",
    "Write what was said about this plate to a file, from which masklet makes the same mattes anywhere": (
        "In eine Datei schreiben, was über diese Plate gesagt wurde; daraus macht masklet überall "
        "dieselben Mattes"
    ),
    "Import Prompts": "Prompts importieren",
    "the document {name} cannot be read ({fault}): check the path": (
        "das Dokument {name} ist nicht lesbar ({fault}): Pfad prüfen"
    ),
    "the document {name} is larger than 1 GB: it is none of masklet's": (
        "das Dokument {name} ist größer als 1 GB: es ist keines von masklet"
    ),
    "the document {name} cannot be written ({fault}): check folder, rights and space": (
        "das Dokument {name} ist nicht schreibbar ({fault}): Ordner, Rechte und Platz prüfen"
    ),
    "what {name} keeps for hosts cannot be understood ({fault}): take the key {key} out of it to open its "
    "prompts": (
        "was {name} für Programme aufhebt, ist nicht zu verstehen ({fault}): den Schlüssel {key} "
        "herausnehmen, um die Prompts zu öffnen"
    ),
    "{name} was changed by somebody else since it was read here: open it again to have theirs, or save "
    "yours under another name": (
        "{name} wurde von jemand anderem geändert, seit es hier gelesen wurde: neu öffnen für deren Stand, "
        "oder den eigenen unter anderem Namen speichern"
    ),
    "Add the objects of a prompt document to this plate": (
        "Die Objekte eines Prompt-Dokuments dieser Plate hinzufügen"
    ),
    "File": "Datei",
    "The prompt document, a .prompts.json file": "Das Prompt-Dokument, eine Datei .prompts.json",
    "Prompts written to {name}": "Prompts stehen in {name}",
    "{before}. They lie in {folder}, because {reason}": "{before}. Sie liegen in {folder}: {reason}",
    "{before}. This file was never saved, so they lie in {folder}: save it, then get them again to have "
    "them beside it": (
        "{before}. Diese Datei wurde nie gespeichert, also liegen sie in {folder}: speichern, dann noch "
        "einmal holen, um sie daneben zu haben"
    ),
    "{folder} holds frames that have no matte now": "{folder} enthält Bilder, die jetzt keine Matte haben",
    "{folder} holds mattes of another plate or file, which were left alone": (
        "{folder} enthält Mattes einer anderen Plate oder Datei, die unberührt bleiben"
    ),
    "the folder {folder} cannot be written ({fault}): check that you may write there and that the disk "
    "has space; finished files were kept": (
        "In den Ordner {folder} kann nicht geschrieben werden ({fault}): prüfen, ob man dort schreiben "
        "darf und die Platte Platz hat; fertige Dateien bleiben"
    ),
    "the server no longer holds masks of {name} on {count} frames that this file knows of, so nothing "
    "was replaced: track again, then get the results": (
        "Der Server hat Masken von {name} auf {count} Bildern nicht mehr, die diese Datei kennt, also "
        "wurde nichts ersetzt: neu verfolgen, dann die Ergebnisse holen"
    ),
    "the splines of {name} were changed while they were written, by an undo for instance: make them again": (
        "Die Splines von {name} wurden geändert, während sie geschrieben wurden, etwa durch ein "
        "Rückgängig: noch einmal erstellen"
    ),
    # The farm.
    "Submit to Farm": "An die Farm schicken",
    "Make a job of this shot, for the farm or the night": (
        "Aus diesem Shot einen Auftrag für Farm oder Nacht machen"
    ),
    "Job Folder": "Auftragsordner",
    "A new folder on a disk that all workers of the farm see": (
        "Ein neuer Ordner auf einer Platte, die alle Rechner der Farm sehen"
    ),
    "Shapes": "Formen",
    "Also Bezier shapes of every object": "Auch Bézier-Formen jedes Objekts",
    "Anchors": "Anker",
    "Also a transform that follows every object": "Auch eine Transformation, die jedem Objekt folgt",
    "For": "Für",
    "The tool that shapes and anchors are written for": (
        "Das Programm, für das Formen und Anker geschrieben werden"
    ),
    "The shot becomes a version if it passes the check": (
        "Der Shot wird eine Version, wenn die Prüfung nichts findet"
    ),
    "Uncertain Frames Are Right": "Unsichere Bilder sind richtig",
    "Frames on which an object may be lost do not hold it up": (
        "Bilder, auf denen ein Objekt verloren sein kann, halten ihn nicht auf"
    ),
    "Name or file of the model, as workers have it; empty for theirs": (
        "Name oder Datei des Modells, wie die Rechner der Farm es haben; leer für ihres"
    ),
    "How closely pictures are looked at: closer takes longer": (
        "Wie genau Bilder angesehen werden: genauer dauert länger"
    ),
    "save this file first: what the farm gets lies beside it": (
        "zuerst diese Datei speichern: was die Farm bekommt, liegt daneben"
    ),
    "{folder} cannot be made ({fault})": "{folder} kann nicht angelegt werden ({fault})",
    "Submitting to the farm": "An die Farm schicken",
    "Looking at the farm": "Nach der Farm sehen",
    "The farm could not make this: {reason}": "Die Farm konnte das nicht fertigstellen: {reason}",
    "The farm's check did not pass: {reason}": "Die Prüfung der Farm hat etwas gefunden: {reason}",
    "The farm has made a version of this: {folder}": "Die Farm hat daraus eine Version gemacht: {folder}",
    "{told} (the prompts were changed since they were submitted)": (
        "{told} (die Prompts wurden nach dem Abschicken geändert)"
    ),
    "The farm has made the mattes: {folder}": "Die Farm hat die Mattes gemacht: {folder}",
}
