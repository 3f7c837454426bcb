"""In German: plates, the server, the preferences."""

from __future__ import annotations

PLACES: dict[str, str] = {
    # Plates.
    "Open a clip in the Movie Clip Editor, or an image sequence in the Image Editor": (
        "Einen Clip im Movie-Clip-Editor öffnen, oder eine Bildsequenz im Bildeditor"
    ),
    "{name} is linked from another file: make it local to prompt it here": (
        "{name} ist aus einer anderen Datei verlinkt: lokal machen, um hier damit zu arbeiten"
    ),
    "{name} is not a file on disk: save it first": "{name} ist keine Datei auf der Platte: zuerst speichern",
    "{name} has no file: choose one": "{name} hat keine Datei: eine wählen",
    "Blender cannot read the pictures of {name}: find them with File, External Data, Find Missing Files, "
    "or replace its path": (
        "Blender kann die Bilder von {name} nicht lesen: mit Datei, Externe Daten, Fehlende Dateien "
        "finden suchen, oder den Pfad ersetzen"
    ),
    "the pictures of {name} are no longer at {folder}: {repair}": (
        "Die Bilder von {name} liegen nicht mehr in {folder}: {repair}"
    ),
    "find them with File, External Data, Find Missing Files, or replace the clip's path": (
        "mit Datei, Externe Daten, Fehlende Dateien finden suchen, oder den Pfad des Clips ersetzen"
    ),
    "bring them back, or choose the clip again": "sie zurückbringen, oder den Clip neu wählen",
    "This program": "Dieses Programm",
    "the first picture of {name} cannot be read ({fault}): check disk and rights": (
        "Das erste Bild von {name} ist nicht lesbar ({fault}): Platte und Rechte prüfen"
    ),
    "{name} is another plate than the one these prompts were made on: put the old one back, or choose "
    "Use This Plate to keep the prompts": (
        "{name} ist eine andere Plate als die, auf der diese Prompts entstanden: die alte zurückholen, "
        "oder mit Diese Plate nehmen die Prompts behalten"
    ),
    "Keep the prompts although the plate's pictures are others than before": (
        "Die Prompts behalten, obwohl die Plate andere Bilder hat als zuvor"
    ),
    "The viewer shows the clip stabilised: turn off Show Stable to point at the plate itself": (
        "Der Viewer zeigt den Clip stabilisiert: Stabile Anzeige ausschalten, um auf die Plate selbst zu "
        "zeigen"
    ),
    "The viewer shows the clip undistorted: turn off Render Undistorted to point at the plate itself": (
        "Der Viewer zeigt den Clip entzerrt: Entzerrt rendern ausschalten, um auf die Plate selbst zu zeigen"
    ),
    # The server and the preferences.
    "Server": "Server",
    "host:port of a masklet server; leave empty to work with a server of Blender's own": (
        "host:port eines masklet-Servers; leer arbeitet Blender mit einem eigenen"
    ),
    "Token File": "Token-Datei",
    "File that holds the server's token; empty where the server asks for none": (
        "Datei mit dem Token des Servers; leer, wo der Server keinen verlangt"
    ),
    "TLS Certificate": "TLS-Zertifikat",
    "Certificate of the authority that signed the server's; empty for the system's": (
        "Zertifikat der Stelle, die das des Servers unterschrieben hat; leer für die des Systems"
    ),
    "Helper's Python": "Python des Helfers",
    "The Python that has masklet; empty for the one that 'masklet install blender' noted": (
        "Das Python mit masklet; leer für das, welches 'masklet install blender' notiert hat"
    ),
    "Model": "Modell",
    "Name or file, for a server of Blender's own; empty for the embedded model": (
        "Name oder Datei, für einen eigenen Server von Blender; leer für das eingebaute Modell"
    ),
    "Device": "Gerät",
    "cpu or cuda, for a server of Blender's own; empty lets it choose": (
        "cpu oder cuda, für einen eigenen Server von Blender; leer lässt ihn wählen"
    ),
    "Matte Folder": "Ordner für Mattes",
    "Viewer": "Viewer",
    "Opacity": "Deckkraft",
    "How much of the picture masks cover in the viewer": "Wie stark Masken im Viewer das Bild verdecken",
    "Overlay Size": "Größe der Masken",
    "Longest side of masks in the viewer, in pixels; mattes always have the plate's size": (
        "Längste Seite der Masken im Viewer, in Pixeln; Mattes haben immer die Größe der Plate"
    ),
    "States in the Timeline": "Zustände in der Zeitleiste",
    "Show under the timeline where each object is present, uncertain, absent or out of date": (
        "In der Zeitleiste zeigen, wo jedes Objekt zu sehen, unsicher, nicht zu sehen oder veraltet ist"
    ),
    "New objects of a plate take these colours in turn": (
        "Neue Objekte einer Plate nehmen diese Farben der Reihe nach"
    ),
    "Test Connection": "Verbindung testen",
    "Reach the server that the preferences name, and say in a sentence whether it answers": (
        "Den Server aus den Einstellungen ansprechen und in einem Satz sagen, ob er antwortet"
    ),
    "Testing the connection": "Verbindung testen",
    "Asking the server …": "Der Server wird gefragt …",
    "The server answers: masklet {version}, {model} on {device}.": (
        "Der Server antwortet: masklet {version}, {model} auf {device}."
    ),
    "A server of {host}'s own answers: masklet {version}, {model} on {device}.": (
        "Ein eigener Server von {host} antwortet: masklet {version}, {model} auf {device}."
    ),
    "Reconnect": "Neu verbinden",
    "Reconnecting": "Neu verbinden",
    "Free Server Memory": "Speicher des Servers freigeben",
    "Give back the memory that this plate takes on the server; prompts stay here": (
        "Den Speicher zurückgeben, den diese Plate auf dem Server braucht; Prompts bleiben hier"
    ),
    "This plate takes no memory on the server": "Diese Plate braucht auf dem Server keinen Speicher",
    "Closing the session": "Sitzung schließen",
    "Sending to the server": "An den Server senden",
    "Fetching masks": "Masken holen",
    "Finishing the matte": "Matte fertigstellen",
    "The server was let go while it started: do the same again to reach it": (
        "Der Server wurde beim Start losgelassen: dasselbe noch einmal tun, um ihn zu erreichen"
    ),
    "{host} may not go online, and {address} is another machine: {repair}": (
        "{host} darf nicht ins Netz, und {address} ist ein anderer Rechner: {repair}"
    ),
    "turn on Allow Online Access in Preferences, System, Network (Blender started with --offline-mode never "
    "may), or leave Server empty in Preferences, Add-ons, masklet to work on this machine": (
        "in Einstellungen, System, Netzwerk den Onlinezugriff erlauben (mit --offline-mode gestartet darf "
        "Blender es nie), oder in Einstellungen, Add-ons, masklet Server leer lassen, um auf diesem Rechner "
        "zu arbeiten"
    ),
    "allow it, or leave the server's address empty to work on this machine": (
        "es erlauben, oder die Adresse des Servers leer lassen, um auf diesem Rechner zu arbeiten"
    ),
    "{problem} ({repair})": "{problem} ({repair})",
    "its file is chosen as Token File in Preferences, Add-ons, masklet": (
        "die Datei steht unter Token-Datei in Einstellungen, Add-ons, masklet"
    ),
    "it is chosen as Helper's Python in Preferences, Add-ons, masklet": (
        "es steht unter Python des Helfers in Einstellungen, Add-ons, masklet"
    ),
    "Server, Token File and TLS Certificate are in Preferences, Add-ons, masklet": (
        "Server, Token-Datei und TLS-Zertifikat stehen in Einstellungen, Add-ons, masklet"
    ),
    "its file is chosen in masklet's settings": "die Datei steht in den Einstellungen von masklet",
    "it is chosen in masklet's settings": "es steht in den Einstellungen von masklet",
    "server, token file and certificate are in masklet's settings": (
        "Server, Token-Datei und Zertifikat stehen in den Einstellungen von masklet"
    ),
    "The server no longer held this session: your prompts were sent again, track again for the masks. "
    "Mattes, splines and anchors in this file are untouched.": (
        "Der Server hatte diese Sitzung nicht mehr: Die Prompts wurden neu gesendet, für die Masken neu "
        "verfolgen. Mattes, Splines und Anker in dieser Datei sind unberührt."
    ),
    "the plate has no session: reconnect to the server": (
        "Die Plate hat keine Sitzung: neu mit dem Server verbinden"
    ),
    "the server did not take this object: see the message before, and correct it": (
        "Der Server hat dieses Objekt nicht angenommen: siehe die Meldung davor, und beheben"
    ),
    "masklet met a fault of its own ({job}: {fault}): try again, and report it if it comes back": (
        "masklet ist auf einen eigenen Fehler gestoßen ({job}: {fault}): noch einmal versuchen, und "
        "melden, wenn er wiederkommt"
    ),
    "Reach the server anew if it does not answer; prompts are sent again where it has lost them": (
        "Den Server neu ansprechen, wenn er nicht antwortet; Prompts werden neu gesendet, wo er sie "
        "verloren hat"
    ),
    "Go On Without": "Ohne sie weiter",
    "Forget the masks that the server has lost; results are made of those that are left": (
        "Die Masken vergessen, die der Server verloren hat; Ergebnisse entstehen aus denen, die bleiben"
    ),
    "Where mattes go unless a folder is chosen, in a folder for each .blend; empty for a masklet folder "
    "beside the .blend": (
        "Wohin Mattes kommen, wenn kein Ordner gewählt ist, in einen Ordner je .blend-Datei; leer für "
        "einen Ordner masklet neben ihr"
    ),
    "This file is open in another Blender too ({names}): save it under another name, or the one who "
    "saves last wins": (
        "Diese Datei ist auch in einem anderen Blender offen ({names}): unter anderem Namen speichern, "
        "sonst gewinnt, wer zuletzt speichert"
    ),
    "Looking for masks": "Masken suchen",
    "The masks of this file are no longer on the server: track again to see them. Mattes, splines and "
    "anchors in this file are untouched.": (
        "Die Masken dieser Datei sind nicht mehr auf dem Server: neu verfolgen, um sie zu sehen. Mattes, "
        "Splines und Anker in dieser Datei sind unberührt."
    ),
    "mirrored": "gespiegelt",
    "turned by {degrees} degrees": "um {degrees} Grad gedreht",
    "{name} is to be shown {what}, as phones write movies, and {host} does not do that: convert the "
    "movie to an image sequence, and open that instead": (
        "{name} ist {what} zu zeigen, wie Telefone Filme schreiben, und {host} tut das nicht: den Film "
        "in eine Bildsequenz umwandeln und diese öffnen"
    ),
    "{host} shows {name} as {shown}, and the server reads it as {read}: masks would lie beside the "
    "object, so convert the movie to an image sequence, and open that instead": (
        "{host} zeigt {name} mit {shown}, und der Server liest {read}: Masken lägen neben dem Objekt, "
        "also den Film in eine Bildsequenz umwandeln und diese öffnen"
    ),
    "{host} shows {name} as {shown}, with what lies beyond its format of {read}: masks would lie beside "
    "the object, so render the plate cropped to its format, or cut it out on the command line with "
    "--overscan": (
        "{host} zeigt {name} mit {shown}, samt dem, was über das Format von {read} hinausgeht: Masken lägen "
        "neben dem Objekt, also auf das Format beschnitten rendern oder an der Befehlszeile mit --overscan "
        "freistellen"
    ),
    "{host} shows {name} as {shown}, and the server reads it as {read}: see that both have the same files, "
    "and reload the clip": (
        "{host} zeigt {name} mit {shown}, und der Server liest {read}: nachsehen, ob beide dieselben Dateien "
        "haben, und den Clip neu laden"
    ),
    "its frame rate varies": "die Bildrate wechselt",
    "they count differently": "beide verschieden zählen",
    "{host} shows {name} on {frames} frames, and it has {pictures} pictures, because {why}: masks would "
    "lie beside the object, so convert the movie to an image sequence, and open that instead": (
        "{host} zeigt {name} auf {frames} Bildern, und es sind {pictures}, weil {why}: Masken lägen "
        "neben dem Objekt, also den Film in eine Bildsequenz umwandeln und diese öffnen"
    ),
    # Better weights, quality and doubtful clicks.
    "the embedded model is a first impression: for filmed clips fetch an official checkpoint with "
    "masklet-server weights pull {name} ({size} MB) and work with --weights {name}": (
        "das eingebaute Modell gibt einen ersten Eindruck: für Gefilmtes ein offizielles holen mit "
        "masklet-server weights pull {name} ({size} MB) und mit --weights {name} arbeiten"
    ),
    "the mask of {name} on frame {frame} may be poor: draw a box around it, or click once more where it "
    "is wrong, and then track": (
        "die Maske von {name} auf Bild {frame} taugt vielleicht wenig: einen Rahmen darum ziehen oder noch "
        "einmal klicken, wo sie falsch ist, und dann verfolgen"
    ),
    "Fetch Better Model": "Besseres Modell holen",
    "Fetch an official checkpoint for filmed clips; what was fetched before is kept": (
        "Ein offizielles Modell für Gefilmtes holen; was schon da ist, bleibt"
    ),
    "Blender may not go online: turn on Allow Online Access in Preferences, System, Network, or fetch the "
    "model with masklet-server weights pull": (
        "Blender darf nicht ins Netz: unter Einstellungen, System, Netzwerk den Online-Zugriff erlauben oder "
        "das Modell mit masklet-server weights pull holen"
    ),
    "Stop Fetching": "Holen anhalten",
    "Stop fetching; what is here is kept for the next time": (
        "Das Holen anhalten; was da ist, bleibt für das nächste Mal"
    ),
    "Quality": "Genauigkeit",
    "How closely a server of Blender's own looks at pictures: closer takes longer": (
        "Wie genau ein Server von Blender selbst Bilder ansieht: genauer dauert länger"
    ),
    "As Trained": "Wie gelernt",
    "What the model was trained for": "Wofür das Modell gelernt hat",
    "Fast": "Schnell",
    "For a first pass, and slow machines": "Für einen ersten Durchgang und langsame Rechner",
    "Balanced": "Ausgewogen",
    "Between the two": "Zwischen beiden",
    "Best": "Am besten",
    "The closest look, and the slowest": "Sieht am genauesten hin und dauert am längsten",
}
