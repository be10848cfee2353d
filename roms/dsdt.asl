/* SPDX-License-Identifier: MIT */
/*
 * The DSDT of the i440FX/PIIX machine: PCI interrupt routing through the PIIX3's PIRQ registers, the
 * ISA devices, soft-off, and the windows of the PCI bus. Nothing here moves at run time: what depends
 * on the configuration (RAM size, CPUs) is in tables that machine/ builds.
 *
 * Reference: [ACPI] 5.0 sections 6.2.12 (_PRT) and 19; [PIIX3] PIRQRC[A:D]; [440FX] section 3.
 */
DefinitionBlock ("dsdt.aml", "DSDT", 1, "TURBO8", "TURBO86P", 1)
{
    Scope (\_PR)
    {
        /*
         * No P_BLK: throttling and C2/C3 do not exist on this board. The keyword is the one that
         * guests of ACPI 1.0's age know; iasl's advice to use Device() (3168) is turned off.
         */
        Processor (CPU0, 0x00, 0x00000000, 0x00) {}
    }

    /* SLP_TYP of the PIIX4: 0 is soft-off, 5 is working. */
    Name (\_S0, Package () { 5, 5, 0, 0 })
    Name (\_S5, Package () { 0, 0, 0, 0 })

    /* Which interrupt model the guest has chosen: 0 the 8259 pair, 1 the APICs. */
    Name (PICM, 0)
    Method (_PIC, 1)
    {
        \PICM = Arg0
    }

    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))
            Name (_UID, 0)
            Name (_BBN, 0)

            Name (_CRS, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
                    0x0000, 0x0000, 0x00ff, 0x0000, 0x0100)
                IO (Decode16, 0x0cf8, 0x0cf8, 0x01, 0x08)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                    0x0000, 0x0000, 0x0cf7, 0x0000, 0x0cf8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
                    0x0000, 0x0d00, 0xffff, 0x0000, 0xf300)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, Cacheable, ReadWrite,
                    0x00000000, 0x000a0000, 0x000bffff, 0x00000000, 0x00020000)
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable,
                    ReadWrite, 0x00000000, 0xe0000000, 0xfebfffff, 0x00000000, 0x1ec00000)
            })

            /*
             * Slot s, pin p (0 = INTA#) is wired to PIRQ[(s + p - 1) mod 4], A first: slot 1, the
             * PIIX3 itself, therefore has INTA# on PIRQA#.
             */
            Name (PRTP, Package ()
            {
                Package () { 0x0000ffff, 0, LNKD, 0 }, Package () { 0x0000ffff, 1, LNKA, 0 },
                Package () { 0x0000ffff, 2, LNKB, 0 }, Package () { 0x0000ffff, 3, LNKC, 0 },
                Package () { 0x0001ffff, 0, LNKA, 0 }, Package () { 0x0001ffff, 1, LNKB, 0 },
                Package () { 0x0001ffff, 2, LNKC, 0 }, Package () { 0x0001ffff, 3, LNKD, 0 },
                Package () { 0x0002ffff, 0, LNKB, 0 }, Package () { 0x0002ffff, 1, LNKC, 0 },
                Package () { 0x0002ffff, 2, LNKD, 0 }, Package () { 0x0002ffff, 3, LNKA, 0 },
                Package () { 0x0003ffff, 0, LNKC, 0 }, Package () { 0x0003ffff, 1, LNKD, 0 },
                Package () { 0x0003ffff, 2, LNKA, 0 }, Package () { 0x0003ffff, 3, LNKB, 0 },
                Package () { 0x0004ffff, 0, LNKD, 0 }, Package () { 0x0004ffff, 1, LNKA, 0 },
                Package () { 0x0004ffff, 2, LNKB, 0 }, Package () { 0x0004ffff, 3, LNKC, 0 },
                Package () { 0x0005ffff, 0, LNKA, 0 }, Package () { 0x0005ffff, 1, LNKB, 0 },
                Package () { 0x0005ffff, 2, LNKC, 0 }, Package () { 0x0005ffff, 3, LNKD, 0 },
                Package () { 0x0006ffff, 0, LNKB, 0 }, Package () { 0x0006ffff, 1, LNKC, 0 },
                Package () { 0x0006ffff, 2, LNKD, 0 }, Package () { 0x0006ffff, 3, LNKA, 0 },
                Package () { 0x0007ffff, 0, LNKC, 0 }, Package () { 0x0007ffff, 1, LNKD, 0 },
                Package () { 0x0007ffff, 2, LNKA, 0 }, Package () { 0x0007ffff, 3, LNKB, 0 },
                Package () { 0x0008ffff, 0, LNKD, 0 }, Package () { 0x0008ffff, 1, LNKA, 0 },
                Package () { 0x0008ffff, 2, LNKB, 0 }, Package () { 0x0008ffff, 3, LNKC, 0 },
                Package () { 0x0009ffff, 0, LNKA, 0 }, Package () { 0x0009ffff, 1, LNKB, 0 },
                Package () { 0x0009ffff, 2, LNKC, 0 }, Package () { 0x0009ffff, 3, LNKD, 0 },
                Package () { 0x000affff, 0, LNKB, 0 }, Package () { 0x000affff, 1, LNKC, 0 },
                Package () { 0x000affff, 2, LNKD, 0 }, Package () { 0x000affff, 3, LNKA, 0 },
                Package () { 0x000bffff, 0, LNKC, 0 }, Package () { 0x000bffff, 1, LNKD, 0 },
                Package () { 0x000bffff, 2, LNKA, 0 }, Package () { 0x000bffff, 3, LNKB, 0 },
                Package () { 0x000cffff, 0, LNKD, 0 }, Package () { 0x000cffff, 1, LNKA, 0 },
                Package () { 0x000cffff, 2, LNKB, 0 }, Package () { 0x000cffff, 3, LNKC, 0 },
                Package () { 0x000dffff, 0, LNKA, 0 }, Package () { 0x000dffff, 1, LNKB, 0 },
                Package () { 0x000dffff, 2, LNKC, 0 }, Package () { 0x000dffff, 3, LNKD, 0 },
                Package () { 0x000effff, 0, LNKB, 0 }, Package () { 0x000effff, 1, LNKC, 0 },
                Package () { 0x000effff, 2, LNKD, 0 }, Package () { 0x000effff, 3, LNKA, 0 },
                Package () { 0x000fffff, 0, LNKC, 0 }, Package () { 0x000fffff, 1, LNKD, 0 },
                Package () { 0x000fffff, 2, LNKA, 0 }, Package () { 0x000fffff, 3, LNKB, 0 },
                Package () { 0x0010ffff, 0, LNKD, 0 }, Package () { 0x0010ffff, 1, LNKA, 0 },
                Package () { 0x0010ffff, 2, LNKB, 0 }, Package () { 0x0010ffff, 3, LNKC, 0 },
                Package () { 0x0011ffff, 0, LNKA, 0 }, Package () { 0x0011ffff, 1, LNKB, 0 },
                Package () { 0x0011ffff, 2, LNKC, 0 }, Package () { 0x0011ffff, 3, LNKD, 0 },
                Package () { 0x0012ffff, 0, LNKB, 0 }, Package () { 0x0012ffff, 1, LNKC, 0 },
                Package () { 0x0012ffff, 2, LNKD, 0 }, Package () { 0x0012ffff, 3, LNKA, 0 },
                Package () { 0x0013ffff, 0, LNKC, 0 }, Package () { 0x0013ffff, 1, LNKD, 0 },
                Package () { 0x0013ffff, 2, LNKA, 0 }, Package () { 0x0013ffff, 3, LNKB, 0 },
                Package () { 0x0014ffff, 0, LNKD, 0 }, Package () { 0x0014ffff, 1, LNKA, 0 },
                Package () { 0x0014ffff, 2, LNKB, 0 }, Package () { 0x0014ffff, 3, LNKC, 0 },
                Package () { 0x0015ffff, 0, LNKA, 0 }, Package () { 0x0015ffff, 1, LNKB, 0 },
                Package () { 0x0015ffff, 2, LNKC, 0 }, Package () { 0x0015ffff, 3, LNKD, 0 },
                Package () { 0x0016ffff, 0, LNKB, 0 }, Package () { 0x0016ffff, 1, LNKC, 0 },
                Package () { 0x0016ffff, 2, LNKD, 0 }, Package () { 0x0016ffff, 3, LNKA, 0 },
                Package () { 0x0017ffff, 0, LNKC, 0 }, Package () { 0x0017ffff, 1, LNKD, 0 },
                Package () { 0x0017ffff, 2, LNKA, 0 }, Package () { 0x0017ffff, 3, LNKB, 0 },
                Package () { 0x0018ffff, 0, LNKD, 0 }, Package () { 0x0018ffff, 1, LNKA, 0 },
                Package () { 0x0018ffff, 2, LNKB, 0 }, Package () { 0x0018ffff, 3, LNKC, 0 },
                Package () { 0x0019ffff, 0, LNKA, 0 }, Package () { 0x0019ffff, 1, LNKB, 0 },
                Package () { 0x0019ffff, 2, LNKC, 0 }, Package () { 0x0019ffff, 3, LNKD, 0 },
                Package () { 0x001affff, 0, LNKB, 0 }, Package () { 0x001affff, 1, LNKC, 0 },
                Package () { 0x001affff, 2, LNKD, 0 }, Package () { 0x001affff, 3, LNKA, 0 },
                Package () { 0x001bffff, 0, LNKC, 0 }, Package () { 0x001bffff, 1, LNKD, 0 },
                Package () { 0x001bffff, 2, LNKA, 0 }, Package () { 0x001bffff, 3, LNKB, 0 },
                Package () { 0x001cffff, 0, LNKD, 0 }, Package () { 0x001cffff, 1, LNKA, 0 },
                Package () { 0x001cffff, 2, LNKB, 0 }, Package () { 0x001cffff, 3, LNKC, 0 },
                Package () { 0x001dffff, 0, LNKA, 0 }, Package () { 0x001dffff, 1, LNKB, 0 },
                Package () { 0x001dffff, 2, LNKC, 0 }, Package () { 0x001dffff, 3, LNKD, 0 },
                Package () { 0x001effff, 0, LNKB, 0 }, Package () { 0x001effff, 1, LNKC, 0 },
                Package () { 0x001effff, 2, LNKD, 0 }, Package () { 0x001effff, 3, LNKA, 0 },
                Package () { 0x001fffff, 0, LNKC, 0 }, Package () { 0x001fffff, 1, LNKD, 0 },
                Package () { 0x001fffff, 2, LNKA, 0 }, Package () { 0x001fffff, 3, LNKB, 0 }
            })

            /* The same with the I/O APIC: PIRQA# to PIRQD# are its inputs 16 to 19. */
            Name (PRTA, Package ()
            {
                Package () { 0x0000ffff, 0, 0, 19 }, Package () { 0x0000ffff, 1, 0, 16 },
                Package () { 0x0000ffff, 2, 0, 17 }, Package () { 0x0000ffff, 3, 0, 18 },
                Package () { 0x0001ffff, 0, 0, 16 }, Package () { 0x0001ffff, 1, 0, 17 },
                Package () { 0x0001ffff, 2, 0, 18 }, Package () { 0x0001ffff, 3, 0, 19 },
                Package () { 0x0002ffff, 0, 0, 17 }, Package () { 0x0002ffff, 1, 0, 18 },
                Package () { 0x0002ffff, 2, 0, 19 }, Package () { 0x0002ffff, 3, 0, 16 },
                Package () { 0x0003ffff, 0, 0, 18 }, Package () { 0x0003ffff, 1, 0, 19 },
                Package () { 0x0003ffff, 2, 0, 16 }, Package () { 0x0003ffff, 3, 0, 17 },
                Package () { 0x0004ffff, 0, 0, 19 }, Package () { 0x0004ffff, 1, 0, 16 },
                Package () { 0x0004ffff, 2, 0, 17 }, Package () { 0x0004ffff, 3, 0, 18 },
                Package () { 0x0005ffff, 0, 0, 16 }, Package () { 0x0005ffff, 1, 0, 17 },
                Package () { 0x0005ffff, 2, 0, 18 }, Package () { 0x0005ffff, 3, 0, 19 },
                Package () { 0x0006ffff, 0, 0, 17 }, Package () { 0x0006ffff, 1, 0, 18 },
                Package () { 0x0006ffff, 2, 0, 19 }, Package () { 0x0006ffff, 3, 0, 16 },
                Package () { 0x0007ffff, 0, 0, 18 }, Package () { 0x0007ffff, 1, 0, 19 },
                Package () { 0x0007ffff, 2, 0, 16 }, Package () { 0x0007ffff, 3, 0, 17 },
                Package () { 0x0008ffff, 0, 0, 19 }, Package () { 0x0008ffff, 1, 0, 16 },
                Package () { 0x0008ffff, 2, 0, 17 }, Package () { 0x0008ffff, 3, 0, 18 },
                Package () { 0x0009ffff, 0, 0, 16 }, Package () { 0x0009ffff, 1, 0, 17 },
                Package () { 0x0009ffff, 2, 0, 18 }, Package () { 0x0009ffff, 3, 0, 19 },
                Package () { 0x000affff, 0, 0, 17 }, Package () { 0x000affff, 1, 0, 18 },
                Package () { 0x000affff, 2, 0, 19 }, Package () { 0x000affff, 3, 0, 16 },
                Package () { 0x000bffff, 0, 0, 18 }, Package () { 0x000bffff, 1, 0, 19 },
                Package () { 0x000bffff, 2, 0, 16 }, Package () { 0x000bffff, 3, 0, 17 },
                Package () { 0x000cffff, 0, 0, 19 }, Package () { 0x000cffff, 1, 0, 16 },
                Package () { 0x000cffff, 2, 0, 17 }, Package () { 0x000cffff, 3, 0, 18 },
                Package () { 0x000dffff, 0, 0, 16 }, Package () { 0x000dffff, 1, 0, 17 },
                Package () { 0x000dffff, 2, 0, 18 }, Package () { 0x000dffff, 3, 0, 19 },
                Package () { 0x000effff, 0, 0, 17 }, Package () { 0x000effff, 1, 0, 18 },
                Package () { 0x000effff, 2, 0, 19 }, Package () { 0x000effff, 3, 0, 16 },
                Package () { 0x000fffff, 0, 0, 18 }, Package () { 0x000fffff, 1, 0, 19 },
                Package () { 0x000fffff, 2, 0, 16 }, Package () { 0x000fffff, 3, 0, 17 },
                Package () { 0x0010ffff, 0, 0, 19 }, Package () { 0x0010ffff, 1, 0, 16 },
                Package () { 0x0010ffff, 2, 0, 17 }, Package () { 0x0010ffff, 3, 0, 18 },
                Package () { 0x0011ffff, 0, 0, 16 }, Package () { 0x0011ffff, 1, 0, 17 },
                Package () { 0x0011ffff, 2, 0, 18 }, Package () { 0x0011ffff, 3, 0, 19 },
                Package () { 0x0012ffff, 0, 0, 17 }, Package () { 0x0012ffff, 1, 0, 18 },
                Package () { 0x0012ffff, 2, 0, 19 }, Package () { 0x0012ffff, 3, 0, 16 },
                Package () { 0x0013ffff, 0, 0, 18 }, Package () { 0x0013ffff, 1, 0, 19 },
                Package () { 0x0013ffff, 2, 0, 16 }, Package () { 0x0013ffff, 3, 0, 17 },
                Package () { 0x0014ffff, 0, 0, 19 }, Package () { 0x0014ffff, 1, 0, 16 },
                Package () { 0x0014ffff, 2, 0, 17 }, Package () { 0x0014ffff, 3, 0, 18 },
                Package () { 0x0015ffff, 0, 0, 16 }, Package () { 0x0015ffff, 1, 0, 17 },
                Package () { 0x0015ffff, 2, 0, 18 }, Package () { 0x0015ffff, 3, 0, 19 },
                Package () { 0x0016ffff, 0, 0, 17 }, Package () { 0x0016ffff, 1, 0, 18 },
                Package () { 0x0016ffff, 2, 0, 19 }, Package () { 0x0016ffff, 3, 0, 16 },
                Package () { 0x0017ffff, 0, 0, 18 }, Package () { 0x0017ffff, 1, 0, 19 },
                Package () { 0x0017ffff, 2, 0, 16 }, Package () { 0x0017ffff, 3, 0, 17 },
                Package () { 0x0018ffff, 0, 0, 19 }, Package () { 0x0018ffff, 1, 0, 16 },
                Package () { 0x0018ffff, 2, 0, 17 }, Package () { 0x0018ffff, 3, 0, 18 },
                Package () { 0x0019ffff, 0, 0, 16 }, Package () { 0x0019ffff, 1, 0, 17 },
                Package () { 0x0019ffff, 2, 0, 18 }, Package () { 0x0019ffff, 3, 0, 19 },
                Package () { 0x001affff, 0, 0, 17 }, Package () { 0x001affff, 1, 0, 18 },
                Package () { 0x001affff, 2, 0, 19 }, Package () { 0x001affff, 3, 0, 16 },
                Package () { 0x001bffff, 0, 0, 18 }, Package () { 0x001bffff, 1, 0, 19 },
                Package () { 0x001bffff, 2, 0, 16 }, Package () { 0x001bffff, 3, 0, 17 },
                Package () { 0x001cffff, 0, 0, 19 }, Package () { 0x001cffff, 1, 0, 16 },
                Package () { 0x001cffff, 2, 0, 17 }, Package () { 0x001cffff, 3, 0, 18 },
                Package () { 0x001dffff, 0, 0, 16 }, Package () { 0x001dffff, 1, 0, 17 },
                Package () { 0x001dffff, 2, 0, 18 }, Package () { 0x001dffff, 3, 0, 19 },
                Package () { 0x001effff, 0, 0, 17 }, Package () { 0x001effff, 1, 0, 18 },
                Package () { 0x001effff, 2, 0, 19 }, Package () { 0x001effff, 3, 0, 16 },
                Package () { 0x001fffff, 0, 0, 18 }, Package () { 0x001fffff, 1, 0, 19 },
                Package () { 0x001fffff, 2, 0, 16 }, Package () { 0x001fffff, 3, 0, 17 }
            })

            Method (_PRT)
            {
                If (\PICM)
                {
                    Return (PRTA)
                }
                Return (PRTP)
            }

            Device (ISA)
            {
                Name (_ADR, 0x00010000)
                OperationRegion (PIRQ, PCI_Config, 0x60, 0x04)
                Field (PIRQ, ByteAcc, NoLock, Preserve)
                {
                    PRQA, 8, PRQB, 8, PRQC, 8, PRQD, 8
                }

                Device (RTC)
                {
                    Name (_HID, EisaId ("PNP0B00"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x0070, 0x0070, 0x01, 0x02)
                        IRQNoFlags () { 8 }
                    })
                }

                Device (PIT)
                {
                    Name (_HID, EisaId ("PNP0100"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x0040, 0x0040, 0x01, 0x04)
                        IRQNoFlags () { 0 }
                    })
                }

                Device (KBD)
                {
                    Name (_HID, EisaId ("PNP0303"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x0060, 0x0060, 0x01, 0x01)
                        IO (Decode16, 0x0064, 0x0064, 0x01, 0x01)
                        IRQNoFlags () { 1 }
                    })
                }

                Device (MOU)
                {
                    Name (_HID, EisaId ("PNP0F13"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IRQNoFlags () { 12 }
                    })
                }

                Device (COM1)
                {
                    Name (_HID, EisaId ("PNP0501"))
                    Name (_UID, 1)
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x03f8, 0x03f8, 0x01, 0x08)
                        IRQNoFlags () { 4 }
                    })
                }

                Device (COM2)
                {
                    Name (_HID, EisaId ("PNP0501"))
                    Name (_UID, 2)
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x02f8, 0x02f8, 0x01, 0x08)
                        IRQNoFlags () { 3 }
                    })
                }

                Device (FDC0)
                {
                    Name (_HID, EisaId ("PNP0700"))
                    Name (_CRS, ResourceTemplate ()
                    {
                        IO (Decode16, 0x03f0, 0x03f0, 0x01, 0x06)
                        IO (Decode16, 0x03f7, 0x03f7, 0x01, 0x01)
                        IRQNoFlags () { 6 }
                        DMA (Compatibility, NotBusMaster, Transfer8) { 2 }
                    })
                }
            }
        }

        /*
         * One PIRQ# = one link device. Bit 7 of its register: not routed; bits 3-0: the IRQ it
         * drives. A resource is the extended interrupt descriptor, whose number is the dword at
         * byte 5.
         */
        Method (LSTA, 1, NotSerialized)
        {
            If (Arg0 & 0x80)
            {
                Return (0x09)
            }
            Return (0x0b)
        }

        Name (LBUF, ResourceTemplate ()
        {
            Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { 0 }
        })

        Method (LCRS, 1, Serialized)
        {
            CreateDWordField (LBUF, 0x05, IRQN)
            IRQN = 0
            If (!(Arg0 & 0x80))
            {
                IRQN = Arg0 & 0x0f
            }
            Return (LBUF)
        }

        Name (LPRS, ResourceTemplate ()
        {
            Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { 5, 10, 11 }
        })

        Device (LNKA)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 1)
            Method (_STA) { Return (LSTA (\_SB.PCI0.ISA.PRQA)) }
            Method (_PRS) { Return (LPRS) }
            Method (_CRS) { Return (LCRS (\_SB.PCI0.ISA.PRQA)) }
            Method (_DIS) { \_SB.PCI0.ISA.PRQA |= 0x80 }
            Method (_SRS, 1)
            {
                CreateDWordField (Arg0, 0x05, IRQN)
                \_SB.PCI0.ISA.PRQA = IRQN
            }
        }

        Device (LNKB)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 2)
            Method (_STA) { Return (LSTA (\_SB.PCI0.ISA.PRQB)) }
            Method (_PRS) { Return (LPRS) }
            Method (_CRS) { Return (LCRS (\_SB.PCI0.ISA.PRQB)) }
            Method (_DIS) { \_SB.PCI0.ISA.PRQB |= 0x80 }
            Method (_SRS, 1)
            {
                CreateDWordField (Arg0, 0x05, IRQN)
                \_SB.PCI0.ISA.PRQB = IRQN
            }
        }

        Device (LNKC)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 3)
            Method (_STA) { Return (LSTA (\_SB.PCI0.ISA.PRQC)) }
            Method (_PRS) { Return (LPRS) }
            Method (_CRS) { Return (LCRS (\_SB.PCI0.ISA.PRQC)) }
            Method (_DIS) { \_SB.PCI0.ISA.PRQC |= 0x80 }
            Method (_SRS, 1)
            {
                CreateDWordField (Arg0, 0x05, IRQN)
                \_SB.PCI0.ISA.PRQC = IRQN
            }
        }

        Device (LNKD)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 4)
            Method (_STA) { Return (LSTA (\_SB.PCI0.ISA.PRQD)) }
            Method (_PRS) { Return (LPRS) }
            Method (_CRS) { Return (LCRS (\_SB.PCI0.ISA.PRQD)) }
            Method (_DIS) { \_SB.PCI0.ISA.PRQD |= 0x80 }
            Method (_SRS, 1)
            {
                CreateDWordField (Arg0, 0x05, IRQN)
                \_SB.PCI0.ISA.PRQD = IRQN
            }
        }
    }
}
