"""An artist's loop, for every host application: what is alike in all of them, with nothing of any one."""
