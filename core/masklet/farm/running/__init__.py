"""Jobs on this machine, by OpenJD's own packages: the same template, actions and signals as on a farm."""
