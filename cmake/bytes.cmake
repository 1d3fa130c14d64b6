# Writes OUT: the bytes of the file IN as the elements of an array.
file(READ ${IN} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1,\n" bytes "${bytes}")
file(WRITE ${OUT} "${bytes}")
