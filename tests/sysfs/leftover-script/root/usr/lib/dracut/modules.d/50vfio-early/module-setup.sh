# a hook that names driver_override
: driver_override
