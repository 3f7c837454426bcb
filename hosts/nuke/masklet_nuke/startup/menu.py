"""Runs in every Nuke with windows, after init.py: puts Masklet into the Draw menu."""

try:
    import masklet_nuke.registration

    masklet_nuke.registration.add_menus()
except ImportError:
    # init.py has said why.
    pass
except Exception as error:  # noqa: BLE001 - whatever it is, Nuke has to start
    print(f'masklet has no menu ({type(error).__name__}: {error}): run "masklet doctor nuke"')
