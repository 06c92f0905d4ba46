// SPDX-License-Identifier: Apache-2.0

/** A signature that does not hold; the message says which requirement it breaks. */
final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    Refused(String why) {
        super(why);
    }

    static void unless(boolean holds, String why) throws Refused {
        if (!holds)
            throw new Refused(why);
    }
}
