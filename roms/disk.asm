; SPDX-License-Identifier: MIT
; demo.img: the demo as a disk of DISK_SIZE bytes (set by the build).
        incbin  "demo.bin"
        times   DISK_SIZE - ($ - $$) db 0
